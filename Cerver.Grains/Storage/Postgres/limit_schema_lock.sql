-- How long the transaction waits for the lock.
set local lock_timeout = '2min';

-- Waits until no change of a session is on its way, and lets none begin before the transaction is over. Those that come meanwhile wait as
-- well, and give up after a second: so this gives up before them, and whoever asks for it asks again.
set local lock_timeout = '400ms';
lock table session in exclusive mode;

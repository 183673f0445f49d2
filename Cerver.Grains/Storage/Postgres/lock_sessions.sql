-- Waits until no change of a session is on its way, and lets none begin before the transaction is over. Those that come meanwhile wait as well, so this must not
-- take long; what a process holds that hangs is free after eleven seconds.
set local lock_timeout = '15s';
lock table session in exclusive mode;

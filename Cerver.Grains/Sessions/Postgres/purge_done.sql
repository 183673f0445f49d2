-- Forgets that a session was to be erased.
--
--   $1 session_id
delete from purge where session_id = $1;

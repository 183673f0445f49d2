-- Takes a session out of sight.
--
--   $1 account_id   $2 session_id
delete from session where session_id = $2 and account_id is not distinct from $1;

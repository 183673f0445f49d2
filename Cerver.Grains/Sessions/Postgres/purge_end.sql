-- Erases an unseen session's runs.
--
--   $1 session_id
delete from run where session_id = $1 and exists (select from purge where session_id = $1);

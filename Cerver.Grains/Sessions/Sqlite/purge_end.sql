-- Erases an unseen session's runs.
--
--   $1 session_id
delete from run where session_id = $1 and exists (select 1 from purge where session_id = $1);

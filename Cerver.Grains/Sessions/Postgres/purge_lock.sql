-- Lets one erasure of a session do one part at a time. No row when there is nothing left to erase.
--
--   $1 session_id
select 1 from purge where session_id = $1 for update;

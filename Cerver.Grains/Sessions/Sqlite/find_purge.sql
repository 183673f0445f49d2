-- One row when rows of a session are still to be erased.
--
--   $1 session_id
select 1 from purge where session_id = $1;

-- Counts an event that was added.
--
--   $1 session_id   $2 length
update session set event_total = event_total + $2 where session_id = $1;

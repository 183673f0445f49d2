-- Adds an event at the end of what happened in a session.
--
--   $1 session_id   $2 length   $3 kind   $4 run_id   $5 sequence   $6 status   $7 end_reason
--
-- Adds no row when there is no such session.
insert into session_event (session_id, position, length, entries, kind, run_id, sequence, status, end_reason)
select session_id, transcript_total + event_total, $2, transcript_total, $3, $4, $5, $6, $7
from session
where session_id = $1;

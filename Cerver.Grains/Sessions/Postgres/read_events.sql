-- Events from a position on.
--
--   $1 session_id   $2 the position   $3 limit
select position, length, entries, kind, run_id, sequence, status, end_reason
from session_event
where session_id = $1 and position >= $2
order by position
limit $3;

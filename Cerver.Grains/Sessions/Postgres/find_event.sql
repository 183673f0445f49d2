-- The last event that begins at or before a position, or no row.
--
--   $1 session_id   $2 the position
select position, length, entries
from session_event
where session_id = $1 and position <= $2
order by position desc
limit 1;

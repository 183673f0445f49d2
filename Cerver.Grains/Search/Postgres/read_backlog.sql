-- Entries of a transcript from a position on.
--
--   $1 session_id   $2 first position   $3 limit
select at, role, kind, content, tool_id, tool_name, tool_input, is_error
from transcript_entry
where session_id = $1 and position >= $2
order by position
limit $3;

-- Entries of a transcript from a position on, until there are enough bytes. The size of a text is known without reading it.
--
--   $1 session_id   $2 first position   $3 limit   $4 bytes
select at, role, kind, content, tool_id, tool_name, tool_input, is_error
from (
    select *, coalesce(sum(64 + coalesce(octet_length(content), 0) + coalesce(octet_length(tool_input), 0))
                           over (order by position rows between unbounded preceding and 1 preceding), 0) as before
    from (
        select position, at, role, kind, content, tool_id, tool_name, tool_input, is_error
        from transcript_entry
        where session_id = $1 and position >= $2
        order by position
        limit $3) entry) entry
where before < $4
order by position;

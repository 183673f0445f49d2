-- Entries of a part of a session's transcript, until there are enough bytes. In the same snapshot as the session.
--
--   $1 account_id   $2 session_id   $3 how many from the end, or null   $4 first position, or null   $5 limit   $6 bytes
select at, role, kind, content, tool_id, tool_name, tool_input, is_error
from (
    select *, coalesce(sum(64 + coalesce(octet_length(content), 0) + coalesce(octet_length(tool_input), 0))
                           over (order by position rows between unbounded preceding and 1 preceding), 0) as before
    from (
        select position, at, role, kind, content, tool_id, tool_name, tool_input, is_error
        from transcript_entry
        where session_id = $2
          and position >= (
            select case when $3 is null then coalesce($4, 0) else greatest(transcript_total - $3, 0) end
            from session
            where session_id = $2 and account_id is not distinct from $1)
        order by position
        limit $5) entry) entry
where before < $6
order by position;

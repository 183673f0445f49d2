-- Entries of transcripts with the names of their sessions.
--
--   $1 account_id   arrays: $2 session_id   $3 position   $4 how many characters of their texts
select wanted.session_id, wanted.position, session.session_name, entry.at, entry.role, entry.kind, left(entry.content, $4::integer), entry.tool_name, left(entry.tool_input, $4::integer)
from unnest($2, $3) as wanted (session_id, position)
cross join lateral (
    select session_name from session where session.session_id = wanted.session_id and account_id is not distinct from $1 limit 1) session
cross join lateral (
    select * from transcript_entry where transcript_entry.session_id = wanted.session_id and transcript_entry.position = wanted.position limit 1) entry;

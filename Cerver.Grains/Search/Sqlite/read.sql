-- An entry of a transcript with the name of its session.
--
--   $1 account_id   $2 session_id   $3 position   $4 how many characters of its texts
select session_name, at, role, kind, substr(content, 1, $4), tool_name, substr(tool_input, 1, $4)
from session join transcript_entry using (session_id)
where account_id = $1 and session_id = $2 and position = $3;

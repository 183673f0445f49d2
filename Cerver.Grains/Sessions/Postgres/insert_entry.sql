-- Adds entries to transcripts, as far as their changes were accepted by this transaction.
--
--   Arrays: $1 ordinal of the change   $2 session_id   $3 position   $4 at   $5 role   $6 kind   $7 content   $8 tool_id   $9 tool_name   $10 tool_input
--   $11 is_error   $12 append_id
--
-- Fails with a violation of the unique index when a position is taken: another writer was here first.
insert into transcript_entry (session_id, position, at, role, kind, content, tool_id, tool_name, tool_input, is_error, append_id)
select entry.session_id, entry.position, entry.at, entry.role, entry.kind, entry.content, entry.tool_id, entry.tool_name, entry.tool_input, entry.is_error,
       entry.append_id
from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    as entry (ordinal, session_id, position, at, role, kind, content, tool_id, tool_name, tool_input, is_error, append_id)
join session on session.session_id = any (array[entry.session_id]) and session.change is not distinct from (select number from next_change) + entry.ordinal;

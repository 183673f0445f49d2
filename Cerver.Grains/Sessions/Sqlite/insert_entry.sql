-- Adds an entry to a transcript.
--
-- Fails with a violation of the unique index when the position is taken: another writer was here first.
insert into transcript_entry (session_id, position, at, role, kind, content, tool_id, tool_name, tool_input, is_error, append_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

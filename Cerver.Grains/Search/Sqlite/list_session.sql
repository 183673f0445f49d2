-- Entries of an unseen session that are in the index, with what they were indexed from.
--
--   $1 session_id   $2 the query for its mark   $3 how many
select entry.number, entry.account_id, entry.position, entry.at, entry.role, transcript_entry.kind, transcript_entry.content, transcript_entry.tool_name,
       transcript_entry.tool_input
from search_word join search_entry as entry on entry.number = search_word.rowid
     join transcript_entry on transcript_entry.session_id = entry.session_id and transcript_entry.position = entry.position
where search_word match $2 and entry.session_id = $1 and exists (select 1 from purge where session_id = $1)
limit $3;

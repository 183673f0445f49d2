-- Adds entries to transcripts and to the search index, as far as their changes were accepted by this transaction.
--
--   Arrays: $1 ordinal of the change   $2 session_id   $3 position   $4 at   $5 role   $6 kind   $7 content   $8 tool_id   $9 tool_name   $10 tool_input
--   $11 is_error   $12 append_id   $13 how many words are indexed   $14 the words and marks, null when nothing is
--
-- Fails with a violation of the unique index when a position is taken: another writer was here first.
with entry as materialized (
    select entry.*, session.account_id
    from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        as entry (ordinal, session_id, position, at, role, kind, content, tool_id, tool_name, tool_input, is_error, append_id, length, words)
    join session on session.session_id = any (array[entry.session_id]) and session.change is not distinct from (select number from next_change) + entry.ordinal),
added as (
    insert into transcript_entry (session_id, position, at, role, kind, content, tool_id, tool_name, tool_input, is_error, append_id)
    select session_id, position, at, role, kind, content, tool_id, tool_name, tool_input, is_error, append_id
    from entry)
insert into search_entry (number, account_id, session_id, position, at, role, length, words)
select number, account_id, session_id, position, at, role, length,
       (words || '#a' || (number >> 11) || ' #b' || (number >> 16) || ' #c' || (number >> 21))::tsvector
from (select nextval('search_entry_number') as number, entry.* from entry where words is not null) entry;

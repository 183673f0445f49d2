-- Adds entries to the index, as far as their changes were accepted by this transaction.
--
--   Arrays: $1 ordinal of the change   $2 session_id   $3 account_id   $4 position   $5 at   $6 role   $7 length   $8 words and marks
insert into search_entry (number, account_id, session_id, position, at, role, length, words)
select number, account_id, session_id, position, at, role, length,
       (words || '#a' || (number >> 11) || ' #b' || (number >> 16) || ' #c' || (number >> 21))::tsvector
from (
    select nextval('search_entry_number') as number, entry.*
    from unnest($1, $2, $3, $4, $5, $6, $7, $8) as entry (ordinal, session_id, account_id, position, at, role, length, words)
    join session on session.session_id = any (array[entry.session_id]) and session.change is not distinct from (select number from next_change) + entry.ordinal) entry;

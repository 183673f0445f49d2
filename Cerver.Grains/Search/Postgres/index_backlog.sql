-- Adds a part of a session to the index and notes it. Does nothing when somebody else did it, or the session is gone.
--
--   $1 session_id   $2 position of the first entry   $3 position after the last one   $4 account_id
--   Arrays: $5 position   $6 at   $7 role   $8 length   $9 words and marks
with moved as (
    update search_backlog set next = $3 where session_id = $1 and next = $2 returning 1)
insert into search_entry (number, account_id, session_id, position, at, role, length, words)
select number, $4, $1, position, at, role, length,
       (words || '#a' || (number >> 11) || ' #b' || (number >> 16) || ' #c' || (number >> 21))::tsvector
from (
    select nextval('search_entry_number') as number, entry.*
    from unnest($5, $6, $7, $8, $9) as entry (position, at, role, length, words)
    where exists (select from moved)) entry;

-- Takes a part of an unseen session's entries out of the index, and gives how many rows that were.
--
--   $1 session_id   $2 how many   $3 the query for the session's mark
with erased as (
    delete from search_entry
    where ctid in (select ctid from search_entry where words @@ $3::tsquery and session_id = $1 limit $2) and exists (select from purge where session_id = $1)
    returning 1)
select count(*) from erased;

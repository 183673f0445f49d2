-- Erases a part of what happened in an unseen session, and gives how many rows that were.
--
--   $1 session_id   $2 how many
with erased as (
    delete from session_event
    where ctid in (select ctid from session_event where session_id = $1 limit $2) and exists (select from purge where session_id = $1)
    returning 1)
select count(*) from erased;

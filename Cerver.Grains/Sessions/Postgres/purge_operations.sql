-- Erases a part of the operations on an unseen session, which hold what they answered, and gives how many rows that were.
--
--   $1 session_id   $2 how many
with erased as (
    delete from idempotency
    where ctid in (select ctid from idempotency where session_id = $1 limit $2) and exists (select from purge where session_id = $1)
    returning 1)
select count(*) from erased;

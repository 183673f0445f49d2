-- Erases a part of an unseen session's transcript, and gives how many rows that were.
--
--   $1 session_id   $2 how many
with erased as (
    delete from transcript_entry
    where ctid in (select ctid from transcript_entry where session_id = $1 limit $2) and exists (select from purge where session_id = $1)
    returning 1)
select count(*) from erased;

-- Erases a part of the operations on an unseen session, which hold what they answered.
--
--   $1 session_id   $2 how many
delete from idempotency
where rowid in (select rowid from idempotency where session_id = $1 limit $2)
  and exists (select 1 from purge where session_id = $1);

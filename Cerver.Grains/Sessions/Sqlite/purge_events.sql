-- Erases a part of what happened in an unseen session.
--
--   $1 session_id   $2 how many
delete from session_event
where rowid in (select rowid from session_event where session_id = $1 limit $2)
  and exists (select 1 from purge where session_id = $1);

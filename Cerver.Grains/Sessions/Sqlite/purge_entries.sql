-- Erases a part of an unseen session's transcript.
--
--   $1 session_id   $2 how many
delete from transcript_entry
where rowid in (select rowid from transcript_entry where session_id = $1 limit $2)
  and exists (select 1 from purge where session_id = $1);

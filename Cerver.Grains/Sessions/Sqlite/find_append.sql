-- The position of the last entry of an append, if it is among the newest entries of the transcript, or no row.
--
--   $1 account_id   $2 session_id   $3 append_id   $4 how many are the newest
select entry.position
from session
join transcript_entry as entry on entry.session_id = session.session_id and entry.position >= session.transcript_total - $4
where session.session_id = $2 and session.account_id = $1 and entry.append_id = $3
order by entry.position desc
limit 1;

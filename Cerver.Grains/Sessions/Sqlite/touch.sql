-- Notes activity on a session if it is still at the version before. Changes no row otherwise.
--
--   $1 session_id   $2 account_id   $3 the version before   $4 updated_at   $5 transcript_total   $6 change
update session
set updated_at = $4, transcript_total = $5, change = $6, version = $3 + 1
where session_id = $1 and account_id = $2 and version = $3;

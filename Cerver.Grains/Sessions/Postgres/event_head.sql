-- How many entries and how many other events a session of an account has, or no row.
--
--   $1 account_id   $2 session_id
select transcript_total, event_total from session where session_id = $2 and account_id is not distinct from $1;

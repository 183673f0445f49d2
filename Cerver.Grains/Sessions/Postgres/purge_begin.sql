-- Notes that a session's rows are to be erased.
--
--   $1 account_id   $2 session_id
insert into purge (session_id)
select session_id from session where session_id = $2 and account_id is not distinct from $1
on conflict do nothing;

-- Nothing of a session is indexed any more that is about to be taken out of sight.
--
--   $1 session_id   $2 account_id
delete from search_backlog where session_id = $1 and account_id is not distinct from $2;

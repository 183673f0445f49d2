-- Nothing of a session is indexed any more.
--
--   $1 session_id
delete from search_backlog where session_id = $1;

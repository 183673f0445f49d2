-- Forgets a session that is indexed to its end.
--
--   $1 session_id   $2 1 when no more of it is there
delete from search_backlog where session_id = $1 and (next >= total or $2 = 1);

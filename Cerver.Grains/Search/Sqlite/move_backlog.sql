-- Notes that a part of a session is indexed. Changes no row when somebody else did it.
--
--   $1 session_id   $2 position of the first entry   $3 position after the last one
update search_backlog set next = $3 where session_id = $1 and next = $2;

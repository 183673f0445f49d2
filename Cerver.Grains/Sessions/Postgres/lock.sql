-- Locks sessions in the order of their ids, so that two batches never wait for one another. Gives those that exist.
--
--   $1 session_id[]
select session_id
from session
where session_id = any($1)
order by session_id
for no key update;

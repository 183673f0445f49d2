-- Those of some sessions whose rows nobody holds.
--
--   $1 session_id[]
select session_id
from session
where session_id = any($1)
for no key update skip locked;

-- One row when a session has this sandbox.
--
--   $1 sandbox_id
select 1
from session
where sandbox_id = $1
limit 1;

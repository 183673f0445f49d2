-- Who asked for one secret of an account, the newest first, from after a place in that order on.
--
--   $1 account_id   $2 at and $3 id of the place; for the beginning, what is greater than all or the time before which they must lie
--   $4 the earliest at   $5 limit   $6 name
select id, at, key, session_id, run_id, name, source, outcome
from secret_access indexed by secret_access_by_name
where account_id = $1 and name = $6 and (at, id) < ($2, $3) and at >= $4
order by at desc, id desc
limit $5;

-- Who asked for secrets of an account for one session, the newest first, from after a place in that order on.
--
--   $1 account_id   $2 at and $3 id of the place; for the beginning, what is greater than all or the time before which they must lie
--   $4 the earliest at   $5 limit   $6 name: null is no criterion   $7 session_id
select id, at, key, session_id, run_id, name, source, outcome
from secret_access indexed by secret_access_by_session
where account_id = $1 and session_id = $7 and (at, id) < ($2, $3) and at >= $4
  and ($6 is null or name = $6)
order by at desc, id desc
limit $5;

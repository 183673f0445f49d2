-- Who asked for secrets of an account, the newest first.
--
--   $1 account_id   $2 only before this one; for the newest, what is greater than all   $3 name or null   $4 session_id or null
--   $5 at this time or later, or null   $6 before this time, or null   $7 limit
select id, at, key, session_id, run_id, name, source, outcome
from secret_access
where account_id = $1 and id < $2
  and ($3 is null or name = $3) and ($4 is null or session_id = $4) and ($5 is null or at >= $5) and ($6 is null or at < $6)
order by id desc
limit $7;

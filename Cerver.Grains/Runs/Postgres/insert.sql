-- Adds runs, as far as their changes were accepted by this transaction.
--
--   Arrays: $1 ordinal of the change   $2 session_id   $3 run_id   $4 account_id   $5 sandbox_id   $6 runtime   $7 code   $8 started_at
--
-- Fails with a primary key violation when an id is taken.
insert into run (run_id, session_id, account_id, sandbox_id, runtime, code, status, truncated, output_head, started_at)
select added.run_id, added.session_id, added.account_id, added.sandbox_id, added.runtime, added.code, 0, false, 0, added.started_at
from unnest($1, $2, $3, $4, $5, $6, $7, $8) as added (ordinal, session_id, run_id, account_id, sandbox_id, runtime, code, started_at)
join session on session.session_id = any (array[added.session_id]) and session.change is not distinct from (select number from next_change) + added.ordinal;

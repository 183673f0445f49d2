-- Sessions of an account, the most recently active first, from after a place in that order on.
--
-- Of two indexes that fit it, SQLite takes the one without the status unless it is told.
--
--   $1 account_id   $2 updated_at and $3 session_id of the place; for the beginning, what is greater than all or the time before which they must lie
--   $4 source, $5 harness, $6 part of the name in lower case: null is no criterion   $7 status   $8 limit
--   $9 provider: null is no criterion   $10 the earliest updated_at
select session_id, account_id, session_name, status, end_reason, session_type, harness, provider, compute_id, sandbox_id, task, workload,
       requirements, metadata, provision_time_ms, run_count, run_time_ms, parent_session_id, previous_session_id, created_at, updated_at,
       transcript_total, version
from session indexed by session_by_status
where account_id = $1 and status = $7
  and (updated_at, session_id) < ($2, $3) and updated_at >= $10
  and ($4 is null or source = $4)
  and ($5 is null or harness = $5)
  and ($9 is null or provider = $9)
  and ($6 is null or instr(lower_invariant(session_name), $6) > 0)
order by updated_at desc, session_id desc
limit $8;

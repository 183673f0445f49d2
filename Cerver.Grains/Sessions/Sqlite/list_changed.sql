-- Sessions of an account that were active after a place in the order of activity, the least recently active first.
--
--   $1 account_id   $2 updated_at and $3 session_id of the place   $4 limit
select session_id, account_id, session_name, status, end_reason, session_type, harness, provider, compute_id, sandbox_id, task, workload,
       requirements, metadata, provision_time_ms, run_count, run_time_ms, parent_session_id, previous_session_id, created_at, updated_at,
       transcript_total, version
from session
where account_id = $1 and (updated_at, session_id) > ($2, $3)
order by updated_at, session_id
limit $4;

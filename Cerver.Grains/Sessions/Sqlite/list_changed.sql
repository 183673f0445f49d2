-- Sessions of an account that changed after a change, in the order of their last changes.
--
--   $1 account_id   $2 the change   $3 limit
select session_id, account_id, session_name, status, end_reason, session_type, harness, provider, compute_id, sandbox_id, task, workload,
       requirements, metadata, provision_time_ms, run_count, run_time_ms, parent_session_id, previous_session_id, created_at, updated_at,
       transcript_total, version, change
from session
where account_id = $1 and change > $2
order by change
limit $3;

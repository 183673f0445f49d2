-- One session of an account, or no row.
--
--   $1 account_id   $2 session_id
select session_id, account_id, session_name, status, end_reason, session_type, harness, provider, compute_id, sandbox_id, task, workload,
       requirements, metadata, provision_time_ms, run_count, run_time_ms, parent_session_id, previous_session_id, created_at, updated_at,
       transcript_total, version
from session
where session_id = $2 and account_id is not distinct from $1;

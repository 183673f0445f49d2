-- Sessions that say they are running or that have runs going.
select session.session_id, account_id, session_name, status, end_reason, session_type, harness, provider, compute_id, sandbox_id, task, workload,
       requirements, metadata, provision_time_ms, run_count, run_time_ms, parent_session_id, previous_session_id, created_at, updated_at,
       transcript_total, version
from (select session_id from session where status = 1 union select session_id from run where status = 0) unsettled
join session on session.session_id = any (array[unsettled.session_id]);

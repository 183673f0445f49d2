-- One run of a session, or no row.
--
--   $1 account_id   $2 session_id   $3 run_id
select run_id, session_id, sandbox_id, runtime, code, status, exit_code, truncated, output_head, started_at, ended_at
from run
where run_id = $3 and session_id is not distinct from $2 and account_id is not distinct from $1;

-- Runs of a session that are going on.
--
--   $1 account_id   $2 session_id
select run_id, session_id, sandbox_id, runtime, code, status, exit_code, truncated, output_head, started_at, ended_at
from run
where session_id = $2 and account_id = $1 and status = 0
order by run_id;

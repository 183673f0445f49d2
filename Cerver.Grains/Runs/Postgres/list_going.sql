-- Runs of a session that are going on.
-- Of the code only the beginning: a page of runs must stay small.
--
--   $1 account_id   $2 session_id
select run_id, session_id, sandbox_id, runtime, left(code, 4096), status, exit_code, truncated, output_head, started_at, ended_at
from run
where session_id = $2 and account_id = $1 and status = 0
order by run_id || '';

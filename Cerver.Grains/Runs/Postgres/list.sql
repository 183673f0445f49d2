-- Runs of a session, the newest first. Run ids sort by time.
-- Of the code only the beginning: a page of runs must stay small.
--
--   $1 account_id   $2 session_id   $3 only runs before this one; for the newest, what is greater than all   $4 limit
select run_id, session_id, sandbox_id, runtime, left(code, 4096), status, exit_code, truncated, output_head, started_at, ended_at
from run
where session_id = $2 and account_id = $1 and run_id || '' < $3
order by run_id || '' desc
limit $4;

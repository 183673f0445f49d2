-- Rewrites a session's record if it is still at the version before. Changes no row otherwise.
--
--   $1 session_id   $2 account_id   $3 the version before   $4 … the new values
update session
set session_name = $4, status = $5, end_reason = $6, provider = $7, compute_id = $8, sandbox_id = $9, metadata = $10, source = $11,
    provision_time_ms = $12, run_count = $13, run_time_ms = $14, updated_at = $15, transcript_total = $16, change = $17, version = $3 + 1
where session_id = $1 and account_id = $2 and version = $3;

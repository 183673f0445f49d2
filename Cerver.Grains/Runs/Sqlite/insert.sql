-- Adds a run.
--
-- Fails with a primary key violation when the id is taken.
insert into run (run_id, session_id, account_id, sandbox_id, runtime, code, status, truncated, output_head, started_at)
values ($1, $2, $3, $4, $5, $6, 0, 0, 0, $7);

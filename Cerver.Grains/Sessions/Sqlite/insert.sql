-- Adds a session.
--
-- Fails with a primary key violation when the id is taken.
insert into session (
    session_id, account_id, session_name, status, end_reason, session_type, harness, provider, compute_id, sandbox_id, task, workload,
    requirements, metadata, provision_time_ms, run_count, run_time_ms, parent_session_id, previous_session_id, created_at, updated_at,
    transcript_total, version, source, change)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25);

-- The number up to which all changes are known, with the sessions of an account that changed after a change and up to there, in the order of their last
-- changes. One row without a session when there is none.
--
--   $1 account_id   $2 the change   $3 limit
select known_change.number, session_id, account_id, session_name, status, end_reason, session_type, harness, provider, compute_id, sandbox_id, task, workload,
       requirements, metadata, provision_time_ms, run_count, run_time_ms, parent_session_id, previous_session_id, created_at, updated_at,
       transcript_total, version, change
from known_change left join lateral (
    select *
    from session
    where account_id = $1 and change_group between $2 >> 16 and known_change.number >> 16 and change > $2 and change <= known_change.number
    order by change_group, change
    limit $3) session on true
order by change;

-- Sessions of an account, the most recently active first, from after a place in that order on.
--
--   $1 account_id   $2 updated_at and $3 session_id of the place; for the beginning, what is greater than all or the time before which they must lie
--   $4 source, $5 harness, $6 part of the name in lower case: null is no criterion   $7 limit
--   $8 provider: null is no criterion   $9 the earliest updated_at
select session_id, account_id, session_name, session.status, end_reason, session_type, harness, provider, compute_id, sandbox_id, task, workload,
       requirements, metadata, provision_time_ms, run_count, run_time_ms, parent_session_id, previous_session_id, created_at, updated_at,
       transcript_total, version
from (values (0), (1), (2)) as part (status) cross join lateral (
    -- The index has the order of each status only, by the second.
    select *
    from session
    where account_id = $1 and session.status = part.status
      and active_second between $9 / 1000000 and $2 / 1000000 and (updated_at, session_id) < ($2, $3) and updated_at >= $9
      and ($4 is null or source = $4)
      and ($5 is null or harness = $5)
      and ($8 is null or provider = $8)
      and ($6 is null or strpos(search_name, $6) > 0)
    order by active_second desc, updated_at desc, session_id desc
    limit $7) session
order by updated_at desc, session_id desc
limit $7;

-- Adds each session whose id is not taken, unless the operation of which it is the effect is known already. Gives the ordinals of the changes that
-- were accepted.
--
--   Arrays: $1 … $9 as in touch.sql, of which $4 is 0   $10 … the values
insert into session (
    session_id, account_id, version, updated_at, transcript_total, event_total, change, session_name, search_name, status, end_reason, provider,
    compute_id, sandbox_id, metadata, source, provision_time_ms, run_count, run_time_ms, session_type, harness, task, workload, requirements,
    parent_session_id, previous_session_id, created_at)
select
    added.session_id, added.account_id, added.version + 1, added.updated_at, added.transcript_total, added.events,
    (select number from next_change) + added.ordinal, added.session_name, added.search_name, added.status, added.end_reason, added.provider,
    added.compute_id, added.sandbox_id, added.metadata, added.source, added.provision_time_ms, added.run_count, added.run_time_ms,
    added.session_type, added.harness, added.task, added.workload, added.requirements, added.parent_session_id, added.previous_session_id, added.created_at
from unnest(
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)
    as added (
        ordinal, session_id, account_id, version, updated_at, transcript_total, events, key, forgotten,
        session_name, search_name, status, end_reason, provider, compute_id, sandbox_id, metadata, source, provision_time_ms, run_count, run_time_ms,
        session_type, harness, task, workload, requirements, parent_session_id, previous_session_id, created_at)
where added.key is null or not exists (
    select from idempotency
    where idempotency.account_id = added.account_id and idempotency.key = added.key and idempotency.created_at + 0 > added.forgotten)
order by added.session_id
on conflict (session_id) do nothing
returning change - (select number from next_change);

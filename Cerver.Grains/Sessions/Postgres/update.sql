-- Rewrites the record of each session that is still at the version before, unless the operation of which it is the effect is known already. Gives the
-- ordinals of the changes that were accepted.
--
--   Arrays: $1 … $9 as in touch.sql   $10 … the new values
update session
set updated_at = changed.updated_at, transcript_total = changed.transcript_total, event_total = event_total + changed.events,
    change = (select number from next_change) + changed.ordinal, version = changed.version + 1,
    session_name = changed.session_name, search_name = changed.search_name, status = changed.status, end_reason = changed.end_reason, provider = changed.provider,
    compute_id = changed.compute_id, sandbox_id = changed.sandbox_id, metadata = changed.metadata, source = changed.source,
    provision_time_ms = changed.provision_time_ms, run_count = changed.run_count, run_time_ms = changed.run_time_ms
from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
    as changed (
        ordinal, session_id, account_id, version, updated_at, transcript_total, events, key, forgotten,
        session_name, search_name, status, end_reason, provider, compute_id, sandbox_id, metadata, source, provision_time_ms, run_count, run_time_ms)
where session.session_id = any (array[changed.session_id]) and session.account_id is not distinct from changed.account_id
  and session.version is not distinct from changed.version
  and (changed.key is null or not exists (
    select from idempotency
    where idempotency.account_id = changed.account_id and idempotency.key = changed.key and idempotency.created_at + 0 > changed.forgotten))
returning changed.ordinal;

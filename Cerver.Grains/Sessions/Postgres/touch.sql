-- Notes activity on each session that is still at the version before, unless the operation of which it is the effect is known already. Gives the
-- ordinals of the changes that were accepted.
--
--   Arrays: $1 ordinal in the batch   $2 session_id   $3 account_id   $4 the version before   $5 updated_at   $6 transcript_total
--   $7 how many events come with it   $8 key of the operation or null   $9 operations that are not newer are forgotten
update session
set updated_at = touched.updated_at, transcript_total = touched.transcript_total, event_total = event_total + touched.events,
    change = (select number from next_change) + touched.ordinal, version = touched.version + 1
from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
    as touched (ordinal, session_id, account_id, version, updated_at, transcript_total, events, key, forgotten)
where session.session_id = any (array[touched.session_id]) and session.account_id is not distinct from touched.account_id
  and session.version is not distinct from touched.version
  and (touched.key is null or not exists (
    select from idempotency
    where idempotency.account_id = touched.account_id and idempotency.key = touched.key and idempotency.created_at + 0 > touched.forgotten))
returning touched.ordinal;

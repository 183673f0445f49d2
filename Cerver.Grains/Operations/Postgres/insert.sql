-- Records operations, as far as the changes that are their effects were accepted by this transaction. One whose session is empty is the effect of an
-- erasure, which leaves no session.
--
--   Arrays: $1 ordinal of the change   $2 session_id   $3 account_id   $4 key   $5 request_hash   $6 result   $7 created_at
--
-- Fails with a primary key violation when a key is in use.
insert into idempotency (account_id, key, session_id, request_hash, result, created_at)
select operation.account_id, operation.key, operation.session_id, operation.request_hash, operation.result, operation.created_at
from unnest($1, $2, $3, $4, $5, $6, $7) as operation (ordinal, session_id, account_id, key, request_hash, result, created_at)
where operation.session_id = '' or exists (
    select from session where session.session_id = any (array[operation.session_id]) and session.change is not distinct from (select number from next_change) + operation.ordinal)
order by operation.account_id, operation.key;

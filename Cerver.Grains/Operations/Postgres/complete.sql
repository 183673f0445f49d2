-- Says what operations came to that were begun before, as far as the changes that complete them were accepted by this transaction.
--
--   Arrays: $1 ordinal of the change   $2 session_id   $3 account_id   $4 key   $5 result
update idempotency set result = completed.result
from unnest($1, $2, $3, $4, $5) as completed (ordinal, session_id, account_id, key, result)
join session on session.session_id = any (array[completed.session_id]) and session.change is not distinct from (select number from next_change) + completed.ordinal
where idempotency.account_id = any (array[completed.account_id]) and idempotency.key = completed.key;

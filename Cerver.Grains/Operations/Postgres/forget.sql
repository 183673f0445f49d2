-- Forgets operations, as far as the changes that undo their effects were accepted by this transaction.
--
--   Arrays: $1 ordinal of the change   $2 session_id   $3 account_id   $4 key
delete from idempotency
using unnest($1, $2, $3, $4) as forgotten (ordinal, session_id, account_id, key)
join session on session.session_id = any (array[forgotten.session_id]) and session.change is not distinct from (select number from next_change) + forgotten.ordinal
where idempotency.account_id = any (array[forgotten.account_id]) and idempotency.key = forgotten.key;

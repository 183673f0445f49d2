-- Makes keys free again whose operations are too old.
--
--   Arrays: $1 account_id   $2 key   $3 what is not newer is too old
delete from idempotency
using unnest($1, $2, $3) as expired (account_id, key, created_at)
where idempotency.account_id = any (array[expired.account_id]) and idempotency.key = expired.key and idempotency.created_at + 0 <= expired.created_at;

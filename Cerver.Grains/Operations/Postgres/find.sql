-- An operation of an account that is not older than a time, or no row.
--
--   $1 account_id   $2 key   $3 the time
select request_hash, result from idempotency where account_id = $1 and key = $2 and created_at + 0 > $3;

-- Forgets an operation.
--
--   $1 account_id   $2 key
delete from idempotency where account_id = $1 and key = $2;

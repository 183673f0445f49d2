-- Says what an operation came to that was begun before.
--
--   $1 account_id   $2 key   $3 result
update idempotency set result = $3 where account_id = $1 and key = $2;

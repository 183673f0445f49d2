-- Makes a key free again whose operation is too old.
--
--   $1 account_id   $2 key   $3 what is not newer is too old
delete from idempotency where account_id = $1 and key = $2 and created_at <= $3;

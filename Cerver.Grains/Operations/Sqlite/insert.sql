-- Records an operation.
--
-- Fails with a violation of the unique index when the key is in use.
insert into idempotency (account_id, key, session_id, request_hash, result, created_at)
values ($1, $2, $3, $4, $5, $6);

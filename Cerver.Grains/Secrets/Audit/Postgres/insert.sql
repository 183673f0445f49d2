-- Records that somebody asked for a secret.
--
--   $1 account_id   $2 at   $3 key   $4 session_id   $5 run_id   $6 name   $7 source   $8 outcome
insert into secret_access (account_id, at, key, session_id, run_id, name, source, outcome)
values ($1, $2, $3, $4, $5, $6, $7, $8);

-- Notes that a step was applied.
--
--   $1 number   $2 name   $3 hash
insert into schema_step (number, name, hash) values ($1, $2, $3);

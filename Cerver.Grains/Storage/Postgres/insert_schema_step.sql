-- Notes that a step was applied.
--
--   $1 number   $2 name
insert into schema_step (number, name) values ($1, $2);

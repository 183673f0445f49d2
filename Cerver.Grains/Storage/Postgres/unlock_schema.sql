-- Gives the lock of the schema back.
--
--   $1 the lock
select pg_advisory_unlock($1);

-- Takes the lock of the schema, which lasts until it is given back or the connection is closed.
--
--   $1 the lock
select pg_advisory_lock($1);

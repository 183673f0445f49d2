-- Removes the oldest accesses, as far as they are too old.
--
--   $1 what is not newer is too old   $2 how many at most
delete from secret_access where id in (select id from secret_access where at <= $1 order by at limit $2);

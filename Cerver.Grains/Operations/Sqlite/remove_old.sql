-- Removes the oldest operations, as far as they are too old.
--
--   $1 what is not newer is too old   $2 how many at most
delete from idempotency
where created_at <= $1 and rowid in (select rowid from idempotency order by rowid limit $2);

-- Removes the oldest operations, as far as they are too old, and gives how many those were.
--
--   $1 what is not newer is too old   $2 how many at most
with removed as (
    delete from idempotency
    where ctid in (select ctid from idempotency where created_at <= $1 order by created_at limit $2 for update skip locked)
    returning 1)
select count(*) from removed;

-- Removes the oldest accesses, as far as they are too old, and gives how many those were.
--
--   $1 what is not newer is too old   $2 how many at most
with removed as (
    delete from secret_access
    where ctid in (select ctid from secret_access where at + 0 <= $1 order by at + 0 limit $2 for update skip locked)
    returning 1)
select count(*) from removed;

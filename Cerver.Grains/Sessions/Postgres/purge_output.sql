-- Erases a part of the output of an unseen session's runs, and gives how many rows that were.
--
--   $1 session_id   $2 how many
with erased as (
    delete from run_output
    where ctid in (
        select run_output.ctid from run join run_output on run_output.run_id = any (array[run.run_id]) where run.session_id = $1 limit $2)
      and exists (select from purge where session_id = $1)
    returning 1)
select count(*) from erased;

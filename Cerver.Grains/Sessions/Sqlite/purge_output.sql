-- Erases a part of the output of an unseen session's runs.
--
--   $1 session_id   $2 how many
delete from run_output
where rowid in (
    select run_output.rowid from run join run_output on run_output.run_id = run.run_id where run.session_id = $1 limit $2)
  and exists (select 1 from purge where session_id = $1);

-- Ends a run that is going on. Changes no row otherwise.
--
--   $1 run_id   $2 status   $3 exit_code   $4 truncated   $5 output_head   $6 ended_at
update run
set status = $2, exit_code = $3, truncated = $4, output_head = $5, ended_at = $6
where run_id = $1 and status = 0;

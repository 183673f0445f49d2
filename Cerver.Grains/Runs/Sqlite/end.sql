-- Ends a run that is going on. Changes no row otherwise.
-- The output's head is at least that of the rows: who closes a lost run may not know how far it came.
--
--   $1 run_id   $2 status   $3 exit_code   $4 truncated   $5 output_head   $6 ended_at
update run
set status = $2, exit_code = $3, truncated = $4, output_head = max($5, coalesce((select max(sequence) from run_output where run_id = $1), 0)), ended_at = $6
where run_id = $1 and status = 0;

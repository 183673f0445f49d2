-- Ends runs that are going on, as far as their changes were accepted by this transaction.
-- The output's head is at least that of the rows: who closes a lost run may not know how far it came.
--
--   Arrays: $1 ordinal of the change   $2 session_id   $3 run_id   $4 status   $5 exit_code   $6 truncated   $7 output_head   $8 ended_at
update run
set status = ended.status, exit_code = ended.exit_code, truncated = ended.truncated, ended_at = ended.ended_at,
    output_head = greatest(ended.output_head, (select max(sequence) from run_output where run_output.run_id = ended.run_id))
from unnest($1, $2, $3, $4, $5, $6, $7, $8) as ended (ordinal, session_id, run_id, status, exit_code, truncated, output_head, ended_at)
join session on session.session_id = any (array[ended.session_id]) and session.change is not distinct from (select number from next_change) + ended.ordinal
where run.run_id = any (array[ended.run_id]) and run.status is not distinct from 0;

-- Output of a run from one sequence number to another.
--
--   $1 run_id   $2 the first   $3 the last
select sequence, kind, data
from run_output
where run_id = $1 and sequence between $2 and $3
order by sequence;

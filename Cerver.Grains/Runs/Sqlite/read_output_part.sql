-- Output of a run from one sequence number to another. The account is checked on the run's own row.
--
--   $1 account_id   $2 run_id   $3 the first   $4 the last
select sequence, kind, data
from run_output
where run_id = $2 and sequence between $3 and $4
  and exists (select 1 from run where run_id = $2 and account_id = $1)
order by sequence;

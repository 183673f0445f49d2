-- Output of a run after a sequence number. The account is checked on the run's own row.
--
--   $1 account_id   $2 run_id   $3 after
select sequence, kind, data
from run_output
where run_id = $2 and sequence > $3
  and exists (select 1 from run where run_id = $2 and account_id = $1)
order by sequence
limit 256;

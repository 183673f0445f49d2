-- Output whose run does not exist. An erasure takes a run's output before the run.
select 'run ' || run_id || ': it does not exist, but ' || count(*) || ' chunks of its output do'
from run_output
where not exists (select 1 from run where run.run_id = run_output.run_id)
group by run_id;

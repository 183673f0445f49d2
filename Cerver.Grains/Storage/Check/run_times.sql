-- Runs that have ended without a time, or have one without having ended.
select 'run ' || run_id || ': its status is ' || status || ', but ' || case when ended_at is null then 'it has no' else 'it has a' end || ' time of its end'
from run
where (status = 0) <> (ended_at is null);

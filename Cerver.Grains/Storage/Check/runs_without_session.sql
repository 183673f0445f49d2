-- Runs whose session does not exist in their account and is not being erased.
select 'run ' || run_id || ': its session ' || session_id || ' does not exist in its account'
from run
where not exists (select 1 from session where session.session_id = run.session_id and session.account_id = run.account_id)
  and not exists (select 1 from purge where purge.session_id = run.session_id);

-- Runs that are going on in a session that has ended.
select 'run ' || run.run_id || ': it is going on, but its session ' || run.session_id || ' has ended'
from run join session on session.session_id = run.session_id
where run.status = 0 and session.status = 2;

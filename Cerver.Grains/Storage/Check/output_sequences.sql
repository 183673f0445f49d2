-- Runs whose output does not have exactly the sequence numbers 1 to its head. A run that is going on learns its head at the end, so of it only
-- holes are found. Runs of sessions that are being erased are left out.
select 'run ' || run.run_id || ': ' || case run.status when 0 then 'it is going on' else 'output_head is ' || run.output_head end || ', but there are '
    || count(output.sequence) || ' chunks, at the sequence numbers ' || coalesce(min(output.sequence) || ' to ' || max(output.sequence), 'none')
from run left join run_output output on output.run_id = run.run_id
where not exists (select 1 from purge where purge.session_id = run.session_id)
group by run.run_id
having count(output.sequence) <> coalesce(max(output.sequence), 0)
    or (run.status <> 0 and count(output.sequence) <> run.output_head);

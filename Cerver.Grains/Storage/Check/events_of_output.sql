-- Runs whose output is not, piece by piece, among what happened in their session.
select 'run ' || run.run_id || ': it has ' || run.chunks || ' chunks of output, but its session has ' || coalesce(sum(event.length), 0) || ' up to the sequence number '
    || coalesce(max(event.sequence + event.length - 1), 0)
from (
    select run.run_id, run.session_id, count(output.sequence) as chunks
    from run left join run_output output on output.run_id = run.run_id
    group by run.run_id) run
left join session_event event on event.session_id = run.session_id and event.run_id = run.run_id and event.kind = 3
where not exists (select 1 from purge where purge.session_id = run.session_id)
group by run.run_id, run.chunks
having coalesce(sum(event.length), 0) <> run.chunks or coalesce(max(event.sequence + event.length - 1), 0) <> run.chunks;

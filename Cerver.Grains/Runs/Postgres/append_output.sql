-- Adds output of runs to what happened in their sessions, as far as the runs are going on in sessions that exist. The sessions are locked, so no run ends
-- meanwhile. Gives the ordinals of the changes that were accepted.
--
--   Arrays: $1 ordinal of the change   $2 session_id   $3 run_id   $4 how many chunks   $5 the sequence number of the first
with counted as (
    update session
    set event_total = event_total + output.length
    from unnest($1, $2, $3, $4, $5) as output (ordinal, session_id, run_id, length, first)
    where session.session_id = any (array[output.session_id])
      and output.session_id = (select run.session_id from run where run.run_id = output.run_id and run.status is not distinct from 0)
    returning output.ordinal, output.run_id, output.length, output.first, session.session_id, session.transcript_total, session.event_total),
told as (
    insert into session_event (session_id, position, length, entries, kind, run_id, sequence)
    select session_id, transcript_total + event_total - length, length, transcript_total, 3, run_id, first
    from counted)
select ordinal from counted;

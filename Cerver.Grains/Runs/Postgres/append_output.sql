-- Adds output of runs, each to what happened in its session too, as far as the runs are going on in sessions that exist. The sessions are locked, so
-- no run ends meanwhile. Gives the ordinals of the changes that were accepted.
--
--   Arrays with a row for each chunk: $1 ordinal of the change   $2 session_id   $3 run_id   $4 how many chunks the change has
--   $5 the sequence number of its first   $6 sequence   $7 kind   $8 data
--
-- Fails with a violation of the unique index when a sequence number is taken.
with chunk as materialized (
    select *
    from unnest($1, $2, $3, $4, $5, $6, $7, $8) as chunk (ordinal, session_id, run_id, length, first, sequence, kind, data)),
counted as (
    update session
    set event_total = event_total + chunk.length
    from chunk
    where chunk.sequence = chunk.first and session.session_id = chunk.session_id
      and exists (select from run where run.run_id = chunk.run_id and run.session_id = chunk.session_id and run.status = 0)
    returning chunk.ordinal, chunk.run_id, chunk.length, chunk.first, session.session_id, session.transcript_total, session.event_total),
told as (
    insert into session_event (session_id, position, length, entries, kind, run_id, sequence)
    select session_id, transcript_total + event_total - length, length, transcript_total, 3, run_id, first
    from counted),
written as (
    insert into run_output (run_id, sequence, kind, data)
    select chunk.run_id, chunk.sequence, chunk.kind, chunk.data
    from chunk join counted on counted.ordinal = chunk.ordinal)
select ordinal from counted;

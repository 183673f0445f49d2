-- Adds chunks to the output of runs that are going on in sessions that exist: those that append_output.sql accepted.
--
--   Arrays: $1 session_id   $2 run_id   $3 sequence   $4 kind   $5 data
--
-- Fails with a violation of the unique index when a sequence number is taken.
insert into run_output (run_id, sequence, kind, data)
select chunk.run_id, chunk.sequence, chunk.kind, chunk.data
from unnest($1, $2, $3, $4, $5) as chunk (session_id, run_id, sequence, kind, data)
where chunk.session_id = (select session.session_id from session where session.session_id = chunk.session_id)
  and chunk.session_id = (select run.session_id from run where run.run_id = chunk.run_id and run.status is not distinct from 0);

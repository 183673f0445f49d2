-- Adds a chunk to a run's output.
--
-- Fails with a violation of the unique index when the sequence number is taken.
insert into run_output (run_id, sequence, kind, data)
values ($1, $2, $3, $4);

-- A row if a run is going on.
--
--   $1 run_id
select 1 from run where run_id = $1 and status = 0;

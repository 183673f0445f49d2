-- How the transaction reads: the index of words can be read in no other way, and no step may take long.
--
--   $1 milliseconds
select set_config('enable_bitmapscan', 'on', true), set_config('statement_timeout', $1, true);

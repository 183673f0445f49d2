-- Begins to look at whole tables.
begin isolation level repeatable read read only;
set local plan_cache_mode = auto;
set local enable_seqscan = on;
set local enable_bitmapscan = on;
set local enable_hashjoin = on;
set local enable_mergejoin = on;

-- How a connection behaves from its beginning on.
--
-- Rows are held for milliseconds. Somebody who holds one and hangs must not hold up a whole batch, and the server must say no before the command's time is
-- over, or the batch would be in doubt.
set lock_timeout = '1s';

-- Nor somebody whose machine is gone without a word, with half a batch sent: the server finds out after eleven seconds instead of two hours, and after as
-- many when it has sent something that nobody has acknowledged. Connections that stay within a machine do without.
set tcp_keepalives_idle = 5;
set tcp_keepalives_interval = 2;
set tcp_keepalives_count = 3;
set tcp_user_timeout = '11s';

-- Every statement here has one right plan: rows are looked up in an index, one by one. What the server knows of young tables is old, and it would read them
-- whole, and go on with that while they grow. So the statements say how: "= any (array[…])" can join in no other way than by a look at
-- the index for each row, and "is not distinct from" and "created_at + 0" are looked up in no index at all.
set plan_cache_mode = force_generic_plan;
set enable_seqscan = off;
set enable_bitmapscan = off;
set enable_hashjoin = off;
set enable_mergejoin = off;

-- Lists come in the order of an index, and only what has the same place in it is sorted.
set enable_sort = off;
set jit = off;

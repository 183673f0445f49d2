-- A setting because of which a commit is acknowledged before it is on disk, or no row.
select name from pg_settings where name in ('fsync', 'synchronous_commit') and setting = 'off' limit 1;

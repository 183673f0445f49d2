-- Output of a run after a sequence number, until there are enough bytes. The account is checked on the run's own row.
--
--   $1 account_id   $2 run_id   $3 after   $4 bytes
select sequence, kind, data
from (
    select *, coalesce(sum(octet_length(data)) over (order by sequence rows between unbounded preceding and 1 preceding), 0) as before
    from (
        select sequence, kind, data
        from run_output
        where run_id = $2 and sequence > $3
          and exists (select 1 from run where run_id = $2 and account_id = $1)
        order by sequence
        limit 256) chunk) chunk
where before < $4
order by sequence;

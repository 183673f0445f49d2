-- Output of runs in several parts, each from one sequence number to another, until there are enough bytes or chunks. The account is checked on the
-- runs' own rows.
--
--   $1 account_id   Arrays: $2 run_id   $3 the first   $4 the last   Then: $5 bytes   $6 chunks
select run_id, sequence, kind, data
from (
    select *, coalesce(sum(octet_length(data)) over (order by ordinal, sequence rows between unbounded preceding and 1 preceding), 0) as before
    from (
        select part.ordinal, part.run_id, output.sequence, output.kind, output.data
        from unnest($2, $3, $4) with ordinality as part (run_id, first, last, ordinal)
        cross join lateral (
            select sequence, kind, data
            from run_output
            where run_output.run_id = part.run_id and sequence between part.first and part.last
              and exists (select from run where run.run_id = part.run_id and run.account_id = $1)
            order by sequence
            limit $6) output
        order by part.ordinal, output.sequence
        limit $6) chunk) chunk
where before < $5
order by ordinal, sequence;

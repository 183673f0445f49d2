-- The steps that were applied, in their order, with their hashes. The first development versions kept none.
select name, coalesce(to_jsonb(step) ->> 'hash', '') from schema_step step order by number;

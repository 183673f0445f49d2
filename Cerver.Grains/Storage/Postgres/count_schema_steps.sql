-- How many steps were applied.
select count(*) from schema_step;

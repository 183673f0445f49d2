-- Whether any step was ever applied.
select to_regclass('schema_step') is not null;

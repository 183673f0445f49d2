-- The steps of the schema that were applied.
create table if not exists schema_step (
    number     bigint      not null primary key,
    name       text        not null,
    applied_at timestamptz not null default now()
);

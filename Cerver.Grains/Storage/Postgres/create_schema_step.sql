-- The steps of the schema that were applied. The hash is the SHA-256 of a step's text: a step that was applied is never written anew.
create table if not exists schema_step (
    number     bigint      not null primary key,
    name       text        not null,
    hash       text        not null,
    applied_at timestamptz not null default now()
);

-- Who asked for which secret, when, and what came of it, never a value; and the keys with which the gateways of a cluster encrypt what an account
-- trusts them with.
--
-- Times are microseconds since 1970-01-01T00:00:00Z. Texts are kept as PostgresText escapes them.

create table secret_access (
    id         bigint   generated always as identity primary key,
    account_id text     collate "C" not null,
    at         bigint   not null,
    key        text     not null,
    session_id text     collate "C",
    run_id     text     collate "C",
    name       text     collate "C" not null,
    source     text,
    outcome    smallint not null check (outcome in (1, 2, 3, 4, 5))
);

-- Their columns are written so that each statement has one index to take.
create index secret_access_by_account on secret_access (account_id, at, id);
create index secret_access_by_name on secret_access ((account_id || ''), name, at, id);
create index secret_access_by_session on secret_access ((account_id || ''), session_id, at, id) where session_id is not null;
create index secret_access_by_age on secret_access ((at + 0));

-- One XML element for each key, as ASP.NET Core Data Protection makes them. They are never changed and never deleted.
create table data_protection_key (
    id   bigint generated always as identity primary key,
    name text   not null,
    xml  text   not null
);

-- Who asked for which secret, when, and what came of it. Never a value.

create table secret_access (
    id         integer primary key autoincrement,
    account_id text    not null,
    at         integer not null,
    key        text    not null,
    session_id text,
    run_id     text,
    name       text    not null,
    source     text,
    outcome    integer not null check (outcome in (1, 2, 3, 4, 5))
);

create index secret_access_by_account on secret_access (account_id, id);
create index secret_access_by_age on secret_access (at);

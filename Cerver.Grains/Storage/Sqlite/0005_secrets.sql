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

-- Lists name the index that they read: left to itself the planner takes the first one also where the second is meant.
create index secret_access_by_account on secret_access (account_id, at, id);
create index secret_access_by_name on secret_access (account_id, name, at, id);
create index secret_access_by_session on secret_access (account_id, session_id, at, id) where session_id is not null;
create index secret_access_by_age on secret_access (at);

-- Sessions with their transcripts and events, runs with their output, and the operations that callers gave a key.
--
-- Times are microseconds since 1970-01-01T00:00:00Z. Texts are kept as PostgresText escapes them. What finds a row is compared byte by byte
-- (collate "C"), whatever the language of the database. Rows of transcripts, events and output lie on disk in the order of their arrival; the unique
-- indexes find them by session and position, and fence off a second writer.

create table session (
    session_id          text     collate "C" not null primary key,
    account_id          text     collate "C" not null,
    session_name        text     not null,
    -- In lower case, as the gateway and not the database's language has it: lists are filtered by it.
    search_name         text     collate "C" not null,
    status              smallint not null check (status in (0, 1, 2)),
    end_reason          text,
    session_type        text,
    harness             text     collate "C",
    provider            text     not null,
    compute_id          text,
    sandbox_id          text     collate "C",
    task                text,
    workload            text,
    requirements        text,
    metadata            text,
    source              text     collate "C",
    provision_time_ms   bigint,
    run_count           bigint   not null,
    run_time_ms         bigint   not null,
    parent_session_id   text,
    previous_session_id text,
    created_at          bigint   not null,
    updated_at          bigint   not null,
    transcript_total    bigint   not null check (transcript_total >= 0),
    event_total         bigint   not null check (event_total >= 0),
    change              bigint   not null,
    version             bigint   not null check (version >= 1),
    -- What the indexes have instead of the exact values. An append that changes neither writes to no index at all.
    active_second       bigint   not null generated always as (updated_at / 1000000) stored,
    change_group        bigint   not null generated always as (change >> 16) stored
) with (
    -- Rows are rewritten with every change. Room in their page keeps them there, or every index would have to know their new place.
    fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0
);

-- A list of all statuses merges three parts of the first one. What is of the same second, or of the same 64 transactions, is sorted when it is read.
create index session_by_status on session (account_id, status, active_second desc);
create index session_by_change on session (account_id, change_group);
create index session_by_sandbox on session (sandbox_id) where sandbox_id is not null;
create index session_running on session (session_id) where status = 1;

create table transcript_entry (
    session_id text     collate "C" not null,
    position   bigint   not null check (position >= 0),
    at         bigint   not null,
    role       smallint not null check (role in (1, 2, 3, 4)),
    kind       text     not null,
    content    text,
    tool_id    text,
    tool_name  text,
    tool_input text,
    is_error   boolean,
    append_id  uuid
);

create unique index transcript_entry_position on transcript_entry (session_id, position);

create table session_event (
    session_id text     collate "C" not null,
    position   bigint   not null check (position >= entries),
    length     bigint   not null check (length >= 1),
    entries    bigint   not null check (entries >= 0),
    kind       smallint not null check (kind in (1, 2, 3, 4)),
    run_id     text     collate "C",
    sequence   bigint   check (sequence >= 1),
    status     smallint,
    end_reason text
);

create unique index session_event_position on session_event (session_id, position);

create table run (
    run_id      text     collate "C" not null primary key,
    session_id  text     collate "C" not null,
    account_id  text     collate "C" not null,
    sandbox_id  text     not null,
    runtime     smallint not null check (runtime in (1, 2, 3)),
    code        text     not null,
    status      smallint not null check (status in (0, 1, 2, 3, 4)),
    exit_code   integer,
    truncated   boolean  not null,
    output_head bigint   not null check (output_head >= 0),
    started_at  bigint   not null,
    ended_at    bigint
);

-- The second column is written so that what looks for a run by its id has no other index to take than that of the primary key.
create index run_by_session on run (session_id, (run_id || '') desc);
create index run_going on run (session_id) where status = 0;

create table run_output (
    run_id   text     collate "C" not null,
    sequence bigint   not null check (sequence >= 1),
    kind     smallint not null check (kind in (1, 2)),
    data     bytea    not null
);

create unique index run_output_sequence on run_output (run_id, sequence);

create table idempotency (
    account_id   text   collate "C" not null,
    key          text   collate "C" not null,
    session_id   text   collate "C" not null,
    request_hash bytea  not null,
    result       text   not null,
    created_at   bigint not null,
    primary key (account_id, key)
);

create index idempotency_by_session on idempotency (session_id);
create index idempotency_by_age on idempotency (created_at);

-- Sessions whose rows are being erased. Their own row is gone already; what a crash leaves is erased later.
create table purge (
    session_id text collate "C" not null primary key
);

-- The server with its history so far. It is another one for a copy on another server, and for one that goes on from an earlier moment, which has a timeline of
-- its own. Right after a promotion only the second of the two numbers is that of the new one.
create view this_server as
select system_identifier || '/' || greatest(timeline_id, min_recovery_end_timeline) as identity
from pg_control_system(), pg_control_checkpoint(), pg_control_recovery();

-- Where the numbers of changes begin, and on which server they do: one row.
create table change_base (
    base     bigint  not null check (base % 1024 = 0),
    server   text    collate "C" not null,
    only_row boolean not null default true primary key check (only_row)
);

insert into change_base (base, server) select 0, identity from this_server;

-- The number of the first change that this transaction makes; it has 1024 of them. Transactions are numbered in the order in which they begin to
-- write, over all processes and without a lock of ours. Numbers stay below 2^53, which JSON can carry, for 2^43 - base / 1024 transactions of the whole
-- server, those of its other databases among them: at ten thousand a second that is more than twenty years.
create view next_change as
select base + (pg_current_xact_id()::text::bigint << 10) as number from change_base;

-- The number up to which no change is still to come: every transaction before the oldest one that is going on is over, and what it did is seen by whoever
-- sees this. It never goes back. A transaction that has written anything on this server and stays open holds it up.
create view known_change as
select base + (pg_snapshot_xmin(pg_current_snapshot())::text::bigint << 10) - 1 as number from change_base;

-- The highest number that a change has, null when there is none. One look at the index for each account.
create view last_change as
with recursive account as (
    (select account_id, change from session order by account_id desc, change_group desc, change desc limit 1)
    union all
    select next.account_id, next.change
    from account, lateral (
        select session.account_id, session.change
        from session
        where session.account_id < account.account_id
        order by session.account_id desc, session.change_group desc, session.change desc
        limit 1) next)
select max(change) as number from account;

-- What the base must be when the next change would have a number that was given out before, or may have been: the sessions came with a backup, and this
-- server counts its transactions from somewhere else. No row otherwise. Numbers go on with the clock then, in microseconds: that is beyond every number that
-- was given out after the backup, unless there were more than 976 transactions a second ever since.
create view due_change_base as
select (greatest(last_change.number + 1, (extract(epoch from clock_timestamp()) * 1000000)::bigint) + 1023) / 1024 * 1024
           - (pg_current_xact_id()::text::bigint << 10) as base,
       this_server.identity as server
from change_base, this_server, last_change, next_change
where change_base.server <> this_server.identity or last_change.number >= next_change.number;

-- Sessions with their transcripts, runs with their output.
--
-- Times are microseconds since 1970-01-01T00:00:00Z. Transcript entries and output lie on disk in the order of their arrival; the
-- unique indexes find them by session and position, and fence off a second writer.

create table session (
    session_id          text    not null primary key,
    account_id          text    not null,
    session_name        text    not null,
    status              integer not null check (status in (0, 1, 2)),
    end_reason          text,
    session_type        text,
    harness             text,
    provider            text    not null,
    compute_id          text,
    sandbox_id          text,
    task                text,
    workload            text,
    requirements        text,
    metadata            text,
    source              text,
    provision_time_ms   integer,
    run_count           integer not null,
    run_time_ms         integer not null,
    parent_session_id   text,
    previous_session_id text,
    created_at          integer not null,
    updated_at          integer not null,
    transcript_total    integer not null check (transcript_total >= 0),
    version             integer not null check (version >= 1)
);

create index session_by_activity on session (account_id, updated_at desc, session_id desc);
create index session_by_status on session (account_id, status, updated_at desc, session_id desc);

create table transcript_entry (
    session_id text    not null,
    position   integer not null check (position >= 0),
    at         integer not null,
    role       integer not null check (role in (1, 2, 3, 4)),
    kind       text    not null,
    content    text,
    tool_id    text,
    tool_name  text,
    tool_input text,
    is_error   integer
);

create unique index transcript_entry_position on transcript_entry (session_id, position);

create table run (
    run_id      text    not null primary key,
    session_id  text    not null,
    account_id  text    not null,
    sandbox_id  text    not null,
    runtime     integer not null check (runtime in (1, 2, 3)),
    code        text    not null,
    status      integer not null check (status in (0, 1, 2, 3, 4)),
    exit_code   integer,
    truncated   integer not null,
    output_head integer not null check (output_head >= 0),
    started_at  integer not null,
    ended_at    integer
);

create index run_by_session on run (session_id, run_id desc);
create index run_going on run (session_id) where status = 0;

create table run_output (
    run_id   text    not null,
    sequence integer not null check (sequence >= 1),
    kind     integer not null check (kind in (1, 2)),
    data     blob    not null
);

create unique index run_output_sequence on run_output (run_id, sequence);

-- Sessions whose rows are being erased. Their own row is gone already; a restart goes on where the last process stopped.
create table purge (
    session_id text not null primary key
) without rowid;

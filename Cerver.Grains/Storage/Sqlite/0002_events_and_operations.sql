-- The order of everything that happens in a session, and the operations that callers gave a key.
--
-- Entries and events of a session share one dense numbering: of two commits the later one has the higher positions. Entries have no row
-- of their own in it. An event says how many entries come before it, so an entry's position is its index and the events before it.

alter table session add column event_total integer not null default 0 check (event_total >= 0);

-- Goes up with every commit, over all sessions: what committed later has the higher number.
alter table session add column change integer not null default 0;

create index session_by_change on session (account_id, change);

create index session_by_sandbox on session (sandbox_id) where sandbox_id is not null;

create table session_event (
    session_id text    not null,
    position   integer not null check (position >= entries),
    length     integer not null check (length >= 1),
    entries    integer not null check (entries >= 0),
    kind       integer not null check (kind in (1, 2, 3, 4)),
    run_id     text,
    sequence   integer check (sequence >= 1),
    status     integer,
    end_reason text
);

create unique index session_event_position on session_event (session_id, position);

-- What happened before this is not known but for the status that it led to.
insert into session_event (session_id, position, length, entries, kind, status, end_reason)
select session_id, transcript_total, 1, transcript_total, 1, status, end_reason from session;

update session set event_total = 1, change = updated_at;

-- Rows lie in the order of their age, which is how they are removed.
create table idempotency (
    account_id   text    not null,
    key          text    not null,
    session_id   text    not null,
    request_hash blob    not null,
    result       text    not null,
    created_at   integer not null
);

create unique index idempotency_key on idempotency (account_id, key);
create index idempotency_by_session on idempotency (session_id);

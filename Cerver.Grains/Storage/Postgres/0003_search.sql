-- The index over what was said. The words are those that WordReader takes texts apart into, each with the prefix of its account, so the server only keeps them.

-- Entries are numbered in about the order in which they arrive. Each has the marks of its blocks of 2^11, 2^16 and 2^21 numbers among its words: the newest matches of a
-- word that everybody uses are those of the newest blocks.
create sequence search_entry_number;

create table search_entry (
    number     bigint   not null,
    account_id text     collate "C" not null,
    session_id text     collate "C" not null,
    position   bigint   not null,
    at         bigint   not null,
    role       smallint not null,
    length     integer  not null check (length >= 1),
    words      tsvector not null
);

-- What words there are is not asked by any plan, and finding it out takes a second of a processor time and again.
alter table search_entry alter column words set statistics 0;

-- What was added since the index was last brought in order is read from end to end by every search. More of it makes writing cheaper and searching slower.
create index search_entry_words on search_entry using gin (words) with (gin_pending_list_limit = 2048);

-- What was said before: sessions, and from which of their entries to which they are not in the index.
create table search_backlog (
    session_id text   collate "C" not null primary key,
    account_id text   collate "C" not null,
    next       bigint not null check (next >= 0),
    total      bigint not null
);

insert into search_backlog (session_id, account_id, next, total)
select session_id, account_id, 0, transcript_total from session where transcript_total > 0;

-- The index over what was said. The words are those that WordReader takes texts apart into, so SQLite only separates them at spaces. An entry that is purged is taken
-- out of it whole: the database must not keep what was deleted.

create table search_entry (
    number     integer not null primary key,
    account_id text    not null,
    session_id text    not null,
    position   integer not null,
    at         integer not null,
    role       integer not null,
    length     integer not null check (length >= 1)
);

create virtual table search_word using fts5 (words, wholes, marks, content = '', columnsize = 0, tokenize = 'ascii');

insert into search_word (search_word, rank) values ('secure-delete', 1);

-- Every commit writes a segment of its own, and so many of a size are merged into one. Four, as by default, took a third more time for each entry.
insert into search_word (search_word, rank) values ('automerge', 16);

-- What was said before: sessions, and from which of their entries to which they are not in the index.
create table search_backlog (
    session_id text    not null primary key,
    account_id text    not null,
    next       integer not null check (next >= 0),
    total      integer not null
) without rowid;

insert into search_backlog (session_id, account_id, next, total)
select session_id, account_id, 0, transcript_total from session where transcript_total > 0;

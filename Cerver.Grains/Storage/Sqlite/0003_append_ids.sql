-- What an append is found by when it is asked for again, kept with its last entry. Nothing is kept for appends that nobody will look for.

alter table transcript_entry add column append_id text;

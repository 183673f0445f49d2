-- Notes whose and where the entry of a number is.
insert into search_entry (number, account_id, session_id, position, at, role, length) values ($1, $2, $3, $4, $5, $6, $7);

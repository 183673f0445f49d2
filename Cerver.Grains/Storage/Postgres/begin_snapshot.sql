-- Begins to read: what is read until the commit is of one state of the database.
begin isolation level repeatable read read only;

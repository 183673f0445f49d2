-- Ends reading from one state of the database.
commit;

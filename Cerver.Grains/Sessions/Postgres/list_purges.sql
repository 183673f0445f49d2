-- Sessions whose rows are still to be erased.
select session_id from purge;

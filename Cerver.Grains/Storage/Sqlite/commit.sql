-- Ends the batch. What it changed is on disk then.
commit;

-- Takes the write lock for one batch.
begin immediate;

-- Undoes one change of a batch.
rollback to change;

-- Begins one change of a batch.
savepoint change;

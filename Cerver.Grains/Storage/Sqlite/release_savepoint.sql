-- Ends one change of a batch.
release change;

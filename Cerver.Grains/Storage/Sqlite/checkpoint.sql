-- Moves what is in the log into the file, as far as no reader still needs the log.
pragma wal_checkpoint(passive);

-- Keeps a key of Data Protection.
--
--   $1 name   $2 xml
insert into data_protection_key (name, xml) values ($1, $2);

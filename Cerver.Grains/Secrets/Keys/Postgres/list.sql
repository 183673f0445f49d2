-- The keys of Data Protection, the oldest first.
select xml from data_protection_key order by id;

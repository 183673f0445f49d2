-- Forgets the entry of a number.
delete from search_entry where number = $1;

-- Adds the words of an entry to the index.
--
--   $1 number   $2 words   $3 identifiers as wholes   $4 marks
insert into search_word (rowid, words, wholes, marks) values ($1, $2, $3, $4);

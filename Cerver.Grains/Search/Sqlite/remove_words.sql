-- Takes the words of an entry out of the index, which must be told them again.
--
--   $1 number   $2 words   $3 identifiers as wholes   $4 marks
insert into search_word (search_word, rowid, words, wholes, marks) values ('delete', $1, $2, $3, $4);

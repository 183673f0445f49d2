-- The number that the next entry gets, or one that is not much lower.
select last_value + 1 from search_entry_number;

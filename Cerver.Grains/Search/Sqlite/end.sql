-- The number that the next entry gets.
select coalesce(max(number), 0) + 1 from search_entry;

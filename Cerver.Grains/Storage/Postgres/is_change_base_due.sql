-- Whether the next change would have a number that was given out before, or may have been.
select exists (select from due_change_base);

-- The number of the last change in an account.
--
--   $1 account_id
select coalesce(max(change), 0) from session where account_id = $1;

-- The sandboxes that sessions say are up, and those that runs are said to go on in. One that is both comes twice.
select account_id, session_id, sandbox_id from session where status = 1 and sandbox_id is not null
union all
select account_id, session_id, sandbox_id from run where status = 0;

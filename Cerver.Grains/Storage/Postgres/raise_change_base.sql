-- Makes the next change have a higher number than all there are, which it has not when the sessions came from another server, with a backup.
-- It begins with the clock then, in microseconds: that is beyond every number that was given out after the backup too, unless there were more than 976
-- transactions a second ever since. Changes nothing otherwise.
with recursive account as (
    -- One look at the index for each account.
    (select account_id, change from session order by account_id desc, change_group desc, change desc limit 1)
    union all
    select next.account_id, next.change
    from account, lateral (
        select session.account_id, session.change
        from session
        where session.account_id < account.account_id
        order by session.account_id desc, session.change_group desc, session.change desc
        limit 1) next),
beyond as (
    select greatest(max(change) + 1, (extract(epoch from clock_timestamp()) * 1000000)::bigint) as number, max(change) as last
    from account)
update change_base
set base = ((beyond.number + 1023) / 1024 * 1024) - (pg_current_xact_id()::text::bigint << 10)
from beyond
where beyond.last >= (select number from next_change);

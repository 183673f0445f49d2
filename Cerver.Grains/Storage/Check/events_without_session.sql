-- Events of sessions that neither exist nor are being erased.
select 'session ' || session_id || ': it does not exist, but ' || count(*) || ' of its events do'
from session_event
where not exists (select 1 from session where session.session_id = session_event.session_id)
    and not exists (select 1 from purge where purge.session_id = session_event.session_id)
group by session_id;

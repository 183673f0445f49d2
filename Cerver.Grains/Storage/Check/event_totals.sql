-- Sessions that count another number of events than there are.
select 'session ' || session.session_id || ': event_total is ' || session.event_total || ', but there are ' || coalesce(sum(event.length), 0) || ' events'
from session left join session_event event on event.session_id = session.session_id
group by session.session_id
having coalesce(sum(event.length), 0) <> session.event_total;

-- Events that are not where the entries and the events before them put them. Sessions that are being erased are left out.
select 'session ' || event.session_id || ': the event at ' || event.position || ' says that ' || event.entries || ' entries come before it, but there are '
    || event.before || ' events before it' || coalesce(', the last of them after ' || event.earlier || ' entries', '') || ', and the transcript has '
    || session.transcript_total || ' entries'
from (
    select session_id, position, entries,
           coalesce(sum(length) over (partition by session_id order by position rows between unbounded preceding and 1 preceding), 0) as before,
           lag(entries) over (partition by session_id order by position) as earlier
    from session_event) event
join session on session.session_id = event.session_id
where event.position <> event.entries + event.before or event.entries < event.earlier or event.entries > session.transcript_total;

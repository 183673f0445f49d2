-- Sessions whose transcript does not have exactly the positions 0 to transcript_total - 1. No two entries share one, that is a constraint.
select 'session ' || session.session_id || ': transcript_total is ' || session.transcript_total || ', but there are ' || count(entry.position)
    || ' entries, at the positions ' || coalesce(min(entry.position) || ' to ' || max(entry.position), 'none')
from session left join transcript_entry entry on entry.session_id = session.session_id
group by session.session_id
having count(entry.position) <> session.transcript_total
    or (session.transcript_total > 0 and (min(entry.position) <> 0 or max(entry.position) <> session.transcript_total - 1));

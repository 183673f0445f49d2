-- Adds events at the end of what happened in sessions, as far as their changes were accepted by this transaction. The sessions count them already.
--
--   Arrays: $1 ordinal of the change   $2 session_id   $3 how many events of the change come from this one on   $4 kind   $5 run_id   $6 status
--   $7 end_reason
insert into session_event (session_id, position, length, entries, kind, run_id, status, end_reason)
select session.session_id, session.transcript_total + session.event_total - event.remaining, 1, session.transcript_total, event.kind, event.run_id,
       event.status, event.end_reason
from unnest($1, $2, $3, $4, $5, $6, $7) as event (ordinal, session_id, remaining, kind, run_id, status, end_reason)
join session on session.session_id = any (array[event.session_id]) and session.change is not distinct from (select number from next_change) + event.ordinal;

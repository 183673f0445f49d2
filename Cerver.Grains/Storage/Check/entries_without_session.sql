-- Transcripts whose session does not exist and is not being erased.
select 'session ' || session_id || ': it does not exist, but ' || count(*) || ' entries of it do'
from transcript_entry
where not exists (select 1 from session where session.session_id = transcript_entry.session_id)
  and not exists (select 1 from purge where purge.session_id = transcript_entry.session_id)
group by session_id;

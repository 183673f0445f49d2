-- Entries of the search index that are in no transcript and are not being erased.
select 'session ' || session_id || ': ' || count(*) || ' entries of it are in the search index and not in its transcript'
from search_entry
where not exists (
    select 1 from transcript_entry where transcript_entry.session_id = search_entry.session_id and transcript_entry.position = search_entry.position)
  and not exists (select 1 from purge where purge.session_id = search_entry.session_id)
group by session_id;

-- How long a transcript was right after the append with an id, if that is among its newest entries, or no row.
--
--   $1 account_id   $2 session_id   $3 append_id   $4 how many of the newest entries
select position + 1
from transcript_entry
where session_id = $2 and append_id = $3
  and position >= (select transcript_total - $4 from session where session_id = $2 and account_id is not distinct from $1)
order by position desc
limit 1;

-- Entries of an account that match, the newest first. FTS5 gives them in that order, so only as many are looked at as are wanted.
--
--   $1 account_id   $2 the query   $3 lowest number   $4 number after the highest   $5 since and $6 until, $7 session_id, $8 harness, $9 source: null is no criterion
--   $10 limit
select entry.number, entry.session_id, entry.position, entry.at, entry.role, entry.length
from search_word join search_entry as entry on entry.number = search_word.rowid
where search_word match $2 and search_word.rowid >= $3 and search_word.rowid < $4
  and entry.account_id = $1
  and ($5 is null or entry.at >= $5)
  and ($6 is null or entry.at < $6)
  and ($7 is null or entry.session_id = $7)
  and ($8 is null or exists (select 1 from session where session.session_id = entry.session_id and session.harness = $8))
  and ($9 is null or exists (select 1 from session where session.session_id = entry.session_id and session.source = $9))
order by search_word.rowid desc
limit $10;

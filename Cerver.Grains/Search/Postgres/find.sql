-- Entries of an account that match, the newest first. The marks name the blocks of numbers. They are a condition of their own: within one query the index goes through all
-- entries of the rarest of its parts, and those of the blocks may be the rarest; of two conditions it skips from an entry of the one to the next of the other.
--
--   $1 account_id   $2 the words   $11 the marks   $3 lowest number   $4 number after the highest   $5 since and $6 until, $7 session_id, $8 harness, $9 source: null is no criterion
--   $10 limit
select number, session_id, position, at, role, length
from search_entry
where words @@ $2::tsquery and words @@ $11::tsquery and account_id = $1 and number >= $3 and number < $4
  and ($5 is null or at >= $5)
  and ($6 is null or at < $6)
  and ($7 is null or session_id = $7)
  and ($8 is null or exists (select from session where session.session_id = search_entry.session_id and session.harness = $8))
  and ($9 is null or exists (select from session where session.session_id = search_entry.session_id and session.source = $9))
order by number desc
limit $10;

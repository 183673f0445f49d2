-- The session to index next, the newest first.
select session_id, account_id, next, total from search_backlog order by session_id desc limit 1;

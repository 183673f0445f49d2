-- The highest number of a change, over all sessions.
select coalesce(max(change), 0) from session;

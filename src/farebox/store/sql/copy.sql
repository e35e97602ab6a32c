-- Copies of a database.

-- name: commits_newest
-- Copies, once read again: how far one goes.
select commit_id, at_ms from commits order by commit_id desc limit 1;

-- The commit path: what takes one row, and what is asked of it later.

-- name: captures_forget!
-- Housekeeping: some of a workspace's captured bodies whose time is over, by the time in their ids.
delete from captures where profile_id = :profile_id and query_log_id in (
  select query_log_id from captures
  where profile_id = :profile_id and query_log_id < :before_id order by query_log_id limit :count
);

-- name: captures_after
-- Housekeeping: the next workspace that has captured bodies. By primary key.
select min(profile_id) from captures where profile_id > :profile_id;

-- name: commits_insert!
-- Recorder, one row a commit that records requests or moves credits.
insert into commits (commit_id, at_ms) values (:commit_id, :at_ms);

-- name: commits_last
-- Recorder, when it opens the database.
select max(commit_id) from commits;

-- Duties: what one process does for all; and what all count together.

-- name: duty_get
-- Duties: whose one is, and until when.
select holder, until_ms from duties where name = :name;

-- name: duty_put!
-- Duties: one is somebody's from now on.
insert into duties (name, holder, until_ms) values (:name, :holder, :until_ms)
on conflict (name) do update set holder = excluded.holder, until_ms = excluded.until_ms;

-- name: own_calls
-- Own limit, now and then: a workspace's calls of the customer endpoints since the minute began.
-- By index.
select count(*) from requests
where profile_id = :profile_id and channel = 'self' and query_log_id >= :from_id;

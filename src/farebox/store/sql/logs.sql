-- The log, read in parts: a bound ends a part after so many rows, so that no step takes long.

-- name: logs_bound_newest
-- Logs, newest first: where the next part begins; null when all the rest is one part.
select query_log_id from requests
where profile_id = :profile_id and query_log_id >= :first_id and query_log_id < :end_id
order by query_log_id desc limit 1 offset cast(:rows_max as bigint) - 1;

-- name: logs_bound_oldest
-- Logs, oldest first: where the next part ends; null when all the rest is one part.
select query_log_id from requests
where profile_id = :profile_id and query_log_id >= :first_id and query_log_id < :end_id
order by query_log_id limit 1 offset cast(:rows_max as bigint);

-- name: logs_lookup
-- The detail of one request, by primary key; empty texts when nothing was captured.
select coalesce(c.request_headers, '') as request_headers,
  coalesce(c.request_body, '') as request_body,
  coalesce(c.response_body, '') as response_body,
  r.response_size
from requests r
left join captures c on c.profile_id = r.profile_id and c.query_log_id = r.query_log_id
where r.profile_id = :profile_id and r.query_log_id = :query_log_id;

-- The audit: the log row by row, and its days, from lists of spans in JSON.

-- name: audit_log
-- Audit, by workspace: one pass over the log; mistimed rows lie elsewhere than their time says.
select count(*) as requests, coalesce(sum(credits_micro), 0) as credits_micro,
  coalesce(sum(hex(substr(query_log_id, 1, 6)) <> format('%012X', time_ms)), 0) as mistimed,
  (select count(*) from identities i
    where i.profile_id = :profile_id and i.content <> zeroblob(16)) as identities,
  (select count(*) from captures c where c.profile_id = :profile_id) as captures,
  (select count(*) from quarters q where q.profile_id = :profile_id) as quarters,
  (select count(*) from charges c where c.profile_id = :profile_id) as charges,
  (select count(*) from transfers t where t.profile_id = :profile_id) as transfers,
  (select count(*) from corrections c where c.profile_id = :profile_id) as corrections
from requests where profile_id = :profile_id;

-- name: audit_mistimed
-- Audit, by workspace, only when there are some.
select hex(query_log_id) as query_log_id, format('%012X', time_ms) as expected,
  hex(substr(query_log_id, 1, 6)) as found, count(*) over () as gaps
from requests
where profile_id = :profile_id and hex(substr(query_log_id, 1, 6)) <> format('%012X', time_ms)
limit :limit;

-- name: audit_captures
-- Audit, by workspace: captures of no log row.
select hex(c.query_log_id) as query_log_id, count(*) over () as gaps
from captures c
where c.profile_id = :profile_id and not exists (
  select 1 from requests r
  where r.profile_id = c.profile_id and r.query_log_id = c.query_log_id
)
limit :limit;

-- name: audit_days
-- Audit, by workspace and zone version: quarters by day against days. `spans` is JSON, a list of
-- [first quarter, end quarter, day]; each span is one range of the primary key.
with spans (first_quarter, end_quarter, day) as materialized (
  select value ->> 0, value ->> 1, value ->> 2 from json_each(:spans)
)
select :zone_version as zone_version, null as quarter, day, log_type_id, key_id, null as channel,
  sum(n) as requests, sum(micro) as credits_micro, max(ms) as last_ms,
  sum(kept_n) as kept_requests, sum(kept_micro) as kept_credits_micro,
  max(kept_ms) as kept_last_ms, count(*) over () as gaps
from (
  select s.day, q.log_type_id, q.key_id, q.requests as n, q.credits_micro as micro,
    q.last_ms as ms, 0 as kept_n, 0 as kept_micro, null as kept_ms
  from spans s
  cross join quarters q on q.profile_id = :profile_id
    and q.quarter >= s.first_quarter and q.quarter < s.end_quarter
  union all
  select day, log_type_id, key_id, 0, 0, null, requests, credits_micro, last_ms
  from days where profile_id = :profile_id and zone_version = :zone_version
)
group by day, log_type_id, key_id
having sum(n) <> sum(kept_n) or sum(micro) <> sum(kept_micro) or max(ms) is not max(kept_ms)
limit :limit;

-- name: audit_day_log_types
-- Audit, by workspace and zone version: quarters by day against day_log_types; see audit_days.
with spans (first_quarter, end_quarter, day) as materialized (
  select value ->> 0, value ->> 1, value ->> 2 from json_each(:spans)
)
select :zone_version as zone_version, null as quarter, day, log_type_id, null as key_id,
  null as channel,
  sum(n) as requests, sum(micro) as credits_micro, max(ms) as last_ms,
  sum(kept_n) as kept_requests, sum(kept_micro) as kept_credits_micro,
  max(kept_ms) as kept_last_ms, count(*) over () as gaps
from (
  select s.day, q.log_type_id, q.requests as n, q.credits_micro as micro,
    q.last_ms as ms, 0 as kept_n, 0 as kept_micro, null as kept_ms
  from spans s
  cross join quarters q on q.profile_id = :profile_id
    and q.quarter >= s.first_quarter and q.quarter < s.end_quarter
  union all
  select day, log_type_id, 0, 0, null, requests, credits_micro, last_ms
  from day_log_types where profile_id = :profile_id and zone_version = :zone_version
)
group by day, log_type_id
having sum(n) <> sum(kept_n) or sum(micro) <> sum(kept_micro) or max(ms) is not max(kept_ms)
limit :limit;

-- name: audit_day_keys
-- Audit, by workspace and zone version: quarters by day against day_keys; see audit_days.
with spans (first_quarter, end_quarter, day) as materialized (
  select value ->> 0, value ->> 1, value ->> 2 from json_each(:spans)
)
select :zone_version as zone_version, null as quarter, day, null as log_type_id, key_id, channel,
  sum(n) as requests, sum(micro) as credits_micro, max(ms) as last_ms,
  sum(kept_n) as kept_requests, sum(kept_micro) as kept_credits_micro,
  max(kept_ms) as kept_last_ms, count(*) over () as gaps
from (
  select s.day, q.key_id, q.channel, q.requests as n, q.credits_micro as micro,
    q.last_ms as ms, 0 as kept_n, 0 as kept_micro, null as kept_ms
  from spans s
  cross join quarters q on q.profile_id = :profile_id
    and q.quarter >= s.first_quarter and q.quarter < s.end_quarter
  union all
  select day, key_id, channel, 0, 0, null, requests, credits_micro, last_ms
  from day_keys where profile_id = :profile_id and zone_version = :zone_version
)
group by day, key_id, channel
having sum(n) <> sum(kept_n) or sum(micro) <> sum(kept_micro) or max(ms) is not max(kept_ms)
limit :limit;

-- name: audit_integrity
-- Audit, when asked: what the engine itself finds wrong with its file; "ok" when nothing is. On a
-- read-only connection SQLite knows no check constraints, so it doesn't look at them.
select integrity_check as message from pragma_integrity_check
union all
select format('a row of %s names no row of %s', "table", parent) from pragma_foreign_key_check
limit :limit;

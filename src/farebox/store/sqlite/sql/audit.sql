-- The audit: everything that is kept beside the log, computed again. All run in one snapshot.
--
-- A comparison puts what should be and what is kept under each other and groups both at once, so
-- that one sort finds every difference; only what differs comes out. `gaps` counts all of them,
-- also beyond the limit. All comparisons of usage have the same columns, null where they say
-- nothing: zone_version, quarter, day, log_type_id, key_id, channel name the place.

-- name: audit_profiles
-- Audit, once: every workspace that any table names, each found by a step over the primary keys.
with recursive named (profile_id) as (
  select -9223372036854775808
  union all
  select (
    select min(next_id) from (
      select min(profile_id) as next_id from workspaces where profile_id > named.profile_id
      union all select min(profile_id) from workspace_zones where profile_id > named.profile_id
      union all select min(profile_id) from keys where profile_id > named.profile_id
      union all select min(profile_id) from identities where profile_id > named.profile_id
      union all select min(profile_id) from requests where profile_id > named.profile_id
      union all select min(profile_id) from captures where profile_id > named.profile_id
      union all select min(profile_id) from quarters where profile_id > named.profile_id
      union all select min(profile_id) from days where profile_id > named.profile_id
      union all select min(profile_id) from day_log_types where profile_id > named.profile_id
      union all select min(profile_id) from day_keys where profile_id > named.profile_id
      union all select min(profile_id) from grants where profile_id > named.profile_id
      union all select min(profile_id) from transfers where profile_id > named.profile_id
      union all select min(profile_id) from accounts where profile_id > named.profile_id
      union all select min(profile_id) from corrections where profile_id > named.profile_id
      union all select min(profile_id) from charges where profile_id > named.profile_id
      union all select min(profile_id) from periods where profile_id > named.profile_id
    )
  )
  from named where named.profile_id is not null
)
select named.profile_id, w.timezone, w.zone_version
from named left join workspaces w on w.profile_id = named.profile_id
where named.profile_id > -9223372036854775808;

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

-- name: audit_names
-- Audit, by workspace: keys that aren't the workspace's own, log types that don't exist.
select q.key_id, q.log_type_id, k.key_id is not null as is_key_known,
  q.log_type_id = 0 or t.log_type_id is not null as is_log_type_known, count(*) over () as gaps
from (select distinct key_id, log_type_id from quarters where profile_id = :profile_id) q
left join keys k on k.key_id = q.key_id and k.profile_id = :profile_id
left join log_types t on t.log_type_id = q.log_type_id
where k.key_id is null or (q.log_type_id <> 0 and t.log_type_id is null)
limit :limit;

-- name: audit_quarters
-- Audit, by workspace: the log by quarter hour against quarters.
select null as zone_version, quarter, null as day, log_type_id, key_id, channel,
  sum(n) as requests, sum(micro) as credits_micro, max(ms) as last_ms,
  sum(kept_n) as kept_requests, sum(kept_micro) as kept_credits_micro,
  max(kept_ms) as kept_last_ms, count(*) over () as gaps
from (
  select time_ms / :quarter_ms as quarter, key_id, log_type_id, channel,
    1 as n, credits_micro as micro, time_ms as ms, 0 as kept_n, 0 as kept_micro, null as kept_ms
  from requests where profile_id = :profile_id
  union all
  select quarter, key_id, log_type_id, channel, 0, 0, null, requests, credits_micro, last_ms
  from quarters where profile_id = :profile_id
)
group by quarter, key_id, log_type_id, channel
having sum(n) <> sum(kept_n) or sum(micro) <> sum(kept_micro) or max(ms) is not max(kept_ms)
limit :limit;

-- name: audit_utc_days
-- Audit, by workspace: the days in UTC that have traffic.
select distinct quarter / 96 as utc_day from quarters where profile_id = :profile_id;

-- name: audit_day_versions
-- Audit, by workspace: the zone versions that the three tables of days hold, with their rows.
select zone_version, sum(days) as days, sum(day_log_types) as day_log_types,
  sum(day_keys) as day_keys
from (
  select zone_version, count(*) as days, 0 as day_log_types, 0 as day_keys
  from days where profile_id = :profile_id group by zone_version
  union all
  select zone_version, 0, count(*), 0
  from day_log_types where profile_id = :profile_id group by zone_version
  union all
  select zone_version, 0, 0, count(*)
  from day_keys where profile_id = :profile_id group by zone_version
)
group by zone_version;

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

-- name: audits_insert!
-- Audit, after each that is to be kept.
insert into audits (started_at_ms, ended_at_ms, requests, differences, detail)
values (:started_at_ms, :ended_at_ms, :requests, :differences, :detail);

-- name: audits_forget!
-- Audit: only the newest are kept.
delete from audits where audit_id <= (select max(audit_id) from audits) - :kept;

-- name: audits_last
-- Housekeeping: what the last audit found. By rowid.
select ended_at_ms, differences from audits order by audit_id desc limit 1;

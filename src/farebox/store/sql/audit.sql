-- The audit: everything that is kept beside the log, computed again. All run in one snapshot.
--
-- A comparison puts what should be and what is kept under each other and groups both at once, so
-- that one pass finds every difference; only what differs comes out. `gaps` counts all of them,
-- also beyond the limit. All comparisons of usage have the same columns, null where they say
-- nothing: zone_version, quarter, day, log_type_id, key_id, channel name the place.

-- name: audit_profiles
-- Audit, once: every workspace that any table names, each found by a step over the primary keys.
with recursive named (profile_id) as (
  select cast(-9223372036854775808 as bigint)
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
    ) next
  )
  from named where named.profile_id is not null
)
select named.profile_id, w.timezone, w.zone_version
from named left join workspaces w on w.profile_id = named.profile_id
where named.profile_id > cast(-9223372036854775808 as bigint);

-- name: audit_names
-- Audit, by workspace: keys that aren't the workspace's own, log types that don't exist.
select q.key_id, q.log_type_id, cast(k.key_id is not null as integer) as is_key_known,
  cast(q.log_type_id = 0 or t.log_type_id is not null as integer) as is_log_type_known,
  count(*) over () as gaps
from (select distinct key_id, log_type_id from quarters where profile_id = :profile_id) q
left join keys k on k.key_id = q.key_id and k.profile_id = :profile_id
left join log_types t on t.log_type_id = q.log_type_id
where k.key_id is null or (q.log_type_id <> 0 and t.log_type_id is null)
limit :limit;

-- name: audit_quarters
-- Audit, by workspace: the log by quarter hour against quarters.
select null as zone_version, quarter, null as day, log_type_id, key_id, channel,
  cast(sum(n) as bigint) as requests, cast(sum(micro) as bigint) as credits_micro,
  max(ms) as last_ms, cast(sum(kept_n) as bigint) as kept_requests,
  cast(sum(kept_micro) as bigint) as kept_credits_micro,
  max(kept_ms) as kept_last_ms, count(*) over () as gaps
from (
  select time_ms / :quarter_ms as quarter, key_id, log_type_id, channel,
    1 as n, credits_micro as micro, time_ms as ms, 0 as kept_n, 0 as kept_micro, null as kept_ms
  from requests where profile_id = :profile_id
  union all
  select quarter, key_id, log_type_id, channel, 0, 0, null, requests, credits_micro, last_ms
  from quarters where profile_id = :profile_id
) compared
group by quarter, key_id, log_type_id, channel
having sum(n) <> sum(kept_n) or sum(micro) <> sum(kept_micro)
  or max(ms) is distinct from max(kept_ms)
limit :limit;

-- name: audit_utc_days
-- Audit, by workspace: the days in UTC that have traffic.
select distinct quarter / 96 as utc_day from quarters where profile_id = :profile_id;

-- name: audit_day_versions
-- Audit, by workspace: the zone versions that the three tables of days hold, with their rows.
select zone_version, cast(sum(days) as bigint) as days,
  cast(sum(day_log_types) as bigint) as day_log_types, cast(sum(day_keys) as bigint) as day_keys
from (
  select zone_version, count(*) as days, 0 as day_log_types, 0 as day_keys
  from days where profile_id = :profile_id group by zone_version
  union all
  select zone_version, 0, count(*), 0
  from day_log_types where profile_id = :profile_id group by zone_version
  union all
  select zone_version, 0, 0, count(*)
  from day_keys where profile_id = :profile_id group by zone_version
) compared
group by zone_version;

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

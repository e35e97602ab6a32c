-- The usage reports, from day rollups of the version that reports read. Each answers one JSON text:
-- a report is then one step of the database, and doesn't contend for the interpreter row by row.
-- Keys and log types come in as JSON lists, null for no filter.

-- name: usage_by_day
-- Daily report without a filter by key: by primary key of day_log_types.
select json_group_array(json_array(day, log_type_id, requests, credits_micro))
from day_log_types
where profile_id = :profile_id
  and zone_version = (select zone_version from workspaces where profile_id = :profile_id)
  and day >= :first_day and day < :end_day
  and (:log_type_ids is null or log_type_id in (select value from json_each(:log_type_ids)));

-- name: usage_by_day_of_keys
-- Daily report of some keys: by primary key of days, grouped in its order.
select json_group_array(json_array(day, log_type_id, requests, credits_micro))
from (
  select day, log_type_id, sum(requests) as requests, sum(credits_micro) as credits_micro
  from days
  where profile_id = :profile_id
    and zone_version = (select zone_version from workspaces where profile_id = :profile_id)
    and day >= :first_day and day < :end_day
    and (:log_type_ids is null or log_type_id in (select value from json_each(:log_type_ids)))
    and key_id in (select value from json_each(:key_ids))
  group by day, log_type_id
);

-- name: usage_by_quarter
-- Hourly report: by primary key of quarters.
select json_group_array(json_array(quarter, log_type_id, requests, credits_micro))
from (
  select quarter, log_type_id, sum(requests) as requests, sum(credits_micro) as credits_micro
  from quarters
  where profile_id = :profile_id
    and quarter >= :first_quarter and quarter < :end_quarter
    and (:log_type_ids is null or log_type_id in (select value from json_each(:log_type_ids)))
    and (:key_ids is null or key_id in (select value from json_each(:key_ids)))
  group by quarter, log_type_id
);

-- name: usage_by_key
-- Breakdown without a filter by log type: by primary key of day_keys.
select json_group_array(
  json_array(key_id, masked_authentication, requests, credits_micro, last_ms))
from (
  select key_id, sum(requests) as requests, sum(credits_micro) as credits_micro,
    max(last_ms) as last_ms
  from day_keys
  where profile_id = :profile_id
    and zone_version = (select zone_version from workspaces where profile_id = :profile_id)
    and day >= :first_day and day < :end_day
    and (:key_ids is null or key_id in (select value from json_each(:key_ids)))
  group by key_id
)
join keys using (key_id);

-- name: usage_by_key_of_log_types
-- Breakdown of some log types: by primary key of days.
select json_group_array(
  json_array(key_id, masked_authentication, requests, credits_micro, last_ms))
from (
  select key_id, sum(requests) as requests, sum(credits_micro) as credits_micro,
    max(last_ms) as last_ms
  from days
  where profile_id = :profile_id
    and zone_version = (select zone_version from workspaces where profile_id = :profile_id)
    and day >= :first_day and day < :end_day
    and log_type_id in (select value from json_each(:log_type_ids))
    and (:key_ids is null or key_id in (select value from json_each(:key_ids)))
  group by key_id
)
join keys using (key_id);

-- name: usage_by_log_type
-- Breakdown without a filter by key: by primary key of day_log_types.
select json_group_array(json_array(log_type_id, requests, credits_micro))
from (
  select log_type_id, sum(requests) as requests, sum(credits_micro) as credits_micro
  from day_log_types
  where profile_id = :profile_id
    and zone_version = (select zone_version from workspaces where profile_id = :profile_id)
    and day >= :first_day and day < :end_day
    and (:log_type_ids is null or log_type_id in (select value from json_each(:log_type_ids)))
  group by log_type_id
);

-- name: usage_by_log_type_of_keys
-- Breakdown of some keys: by primary key of days.
select json_group_array(json_array(log_type_id, requests, credits_micro))
from (
  select log_type_id, sum(requests) as requests, sum(credits_micro) as credits_micro
  from days
  where profile_id = :profile_id
    and zone_version = (select zone_version from workspaces where profile_id = :profile_id)
    and day >= :first_day and day < :end_day
    and (:log_type_ids is null or log_type_id in (select value from json_each(:log_type_ids)))
    and key_id in (select value from json_each(:key_ids))
  group by log_type_id
);

-- name: counts_of_days
-- Profile usage, alerts and limits: [span, [api, portal, credits_micro]] of whole days. `spans` is
-- a JSON list of [profile_id, user_id, family_id, zone_version, first_day, end_day]; where user_id
-- and family_id are null, all keys count. By primary key.
select json_group_array(json_array(
  s.key,
  json((select json_array(
      coalesce(sum(requests) filter (where channel = 'api'), 0),
      coalesce(sum(requests) filter (where channel = 'portal'), 0),
      coalesce(sum(credits_micro), 0))
    from day_keys
    where profile_id = s.value ->> 0 and zone_version = s.value ->> 3
      and day >= s.value ->> 4 and day < s.value ->> 5
      and ((s.value ->> 1 is null and s.value ->> 2 is null) or key_id in (
        select keys.key_id from keys where keys.profile_id = s.value ->> 0
          and (keys.user_id = s.value ->> 1 or keys.family_id = s.value ->> 2)))))))
from json_each(:spans) s;

-- name: counts_of_quarters
-- The same of quarter hours; zone_version is null. By primary key.
select json_group_array(json_array(
  s.key,
  json((select json_array(
      coalesce(sum(requests) filter (where channel = 'api'), 0),
      coalesce(sum(requests) filter (where channel = 'portal'), 0),
      coalesce(sum(credits_micro), 0))
    from quarters
    where profile_id = s.value ->> 0
      and quarter >= s.value ->> 4 and quarter < s.value ->> 5
      and ((s.value ->> 1 is null and s.value ->> 2 is null) or key_id in (
        select keys.key_id from keys where keys.profile_id = s.value ->> 0
          and (keys.user_id = s.value ->> 1 or keys.family_id = s.value ->> 2)))))))
from json_each(:spans) s;

-- Quota windows, credits and keys, as customers read them.

-- name: report_zone
-- Reports that turn instants into days or stamps: the version whose days are complete.
select w.zone_version, z.timezone
from workspaces w
join workspace_zones z on z.profile_id = w.profile_id and z.zone_version = w.zone_version
where w.profile_id = :profile_id;

-- name: counts_of_days
-- Profile usage, alerts and limits: [span, [api, portal, credits_micro]] of whole days. `spans` is a
-- JSON list of [profile_id, user_id, family_id, zone_version, first_day, end_day]; where user_id and
-- family_id are null, all keys count. By primary key.
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

-- name: period_sums_last
-- Quotas and profile: the period opened last and what moved in it.
select start_ms, end_ms, plan_id, opening_micro, granted_micro, expired_micro, charged_micro,
  corrected_micro
from periods where profile_id = :profile_id order by start_ms desc limit 1;

-- name: keys_last_used
-- List of keys: a pass over the workspace's day_keys, one JSON text of [key_id, last_ms].
select json_group_array(json_array(key_id, last_ms))
from (
  select key_id, max(last_ms) as last_ms
  from day_keys
  where profile_id = :profile_id
    and zone_version = (select zone_version from workspaces where profile_id = :profile_id)
  group by key_id
);

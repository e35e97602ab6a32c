-- Quota windows, credits and keys, as customers read them.

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

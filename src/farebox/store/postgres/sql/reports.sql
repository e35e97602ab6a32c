-- Quota windows, credits and keys, as customers read them.

-- name: keys_last_used
-- List of keys: a pass over the workspace's day_keys, one JSON text of [key_id, last_ms].
select cast(coalesce(json_agg(json_build_array(key_id, last_ms)), '[]') as text)
from (
  select key_id, max(last_ms) as last_ms
  from day_keys
  where profile_id = :profile_id
    and zone_version = (select zone_version from workspaces where profile_id = :profile_id)
  group by key_id
) used;

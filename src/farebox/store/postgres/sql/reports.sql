-- Quota windows, credits and keys, as customers read them.

-- name: period_sums_last
-- Quotas and profile: the period opened last and what moved in it.
select p.start_ms, p.end_ms, p.plan_id, p.opening_micro, m.granted_micro, m.expired_micro,
  m.charged_micro, m.corrected_micro
from periods p
cross join lateral (
  select cast(coalesce(sum(s.granted_micro), 0) as bigint) as granted_micro,
    cast(coalesce(sum(s.expired_micro), 0) as bigint) as expired_micro,
    cast(coalesce(sum(s.charged_micro), 0) as bigint) as charged_micro,
    cast(coalesce(sum(s.corrected_micro), 0) as bigint) as corrected_micro
  from period_sums s where s.profile_id = p.profile_id and s.start_ms = p.start_ms
) m
where p.profile_id = :profile_id order by p.start_ms desc limit 1;

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

-- Quota windows, credits and keys, as customers read them.

-- name: report_zone
-- Reports that turn instants into days or stamps: the version whose days are complete.
select w.zone_version, z.timezone
from workspaces w
join workspace_zones z on z.profile_id = w.profile_id and z.zone_version = w.zone_version
where w.profile_id = :profile_id;

-- name: usage_first_day
-- Forecast: the first day with a request; null without any. By primary key.
select min(day) from day_log_types
where profile_id = :profile_id
  and zone_version = (select zone_version from workspaces where profile_id = :profile_id);

-- name: period_before
-- Ranges of days: the period opened last before an instant. By primary key.
select start_ms, end_ms from periods
where profile_id = :profile_id and start_ms < :start_ms
order by start_ms desc limit 1;

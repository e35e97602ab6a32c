-- The zones of workspaces, and the days that are built anew after a change of zone.

-- name: zones_of
-- Days and limits, for workspaces in use, a JSON list; whether reports read the version.
select z.profile_id, z.zone_version, z.from_ms, z.timezone, z.built_quarter,
  z.zone_version = w.zone_version as is_read
from workspace_zones z
join workspaces w on w.profile_id = z.profile_id
where z.profile_id in (select value from json_each(:profile_ids))
order by z.profile_id, z.zone_version;

-- name: quarters_from
-- Days: the next quarters to be built, by primary key.
select quarter, key_id, log_type_id, channel, requests, credits_micro, last_ms from quarters
where profile_id = :profile_id and quarter >= :first_quarter and quarter < :end_quarter;

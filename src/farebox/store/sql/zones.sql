-- The zones of workspaces, and the days that are built anew after a change of zone.

-- name: zone_insert!
-- Workspaces: a new zone.
insert into workspace_zones (profile_id, zone_version, from_ms, timezone, built_quarter)
values (:profile_id, :zone_version, :from_ms, :timezone, :built_quarter);

-- name: zones_building
-- Recorder, when it opens the database: workspaces whose days are being built.
select profile_id from workspace_zones where built_quarter is not null
group by profile_id order by profile_id;

-- name: zone_built!
-- Days, after each step; null when complete.
update workspace_zones set built_quarter = :built_quarter
where profile_id = :profile_id and zone_version = :zone_version;

-- name: zone_switch!
-- Days, when complete: reports read the new version from now on.
update workspaces set zone_version = :zone_version where profile_id = :profile_id;

-- name: quarter_next
-- Days: the first quarter with traffic at or after one.
select min(quarter) from quarters where profile_id = :profile_id and quarter >= :quarter;

-- name: quarter_after_rows
-- Days: the quarter hour that the row of this number from one on lies in, by primary key.
select quarter from quarters
where profile_id = :profile_id and quarter >= :quarter order by quarter limit 1 offset :rows;

-- name: days_forget!
-- Days, when reports have switched.
delete from days where profile_id = :profile_id and zone_version < :zone_version;

-- name: day_log_types_forget!
-- Days, when reports have switched.
delete from day_log_types where profile_id = :profile_id and zone_version < :zone_version;

-- name: day_keys_forget!
-- Days, when reports have switched.
delete from day_keys where profile_id = :profile_id and zone_version < :zone_version;

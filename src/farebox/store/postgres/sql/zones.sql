-- The zones of workspaces, and the days that are built anew after a change of zone.

-- name: zones_of
-- Days and limits, for workspaces in use, a JSON list; whether reports read the version.
select z.profile_id, z.zone_version, z.from_ms, z.timezone, z.built_quarter,
  (z.zone_version = w.zone_version)::int::bigint as is_read
from workspace_zones z
join workspaces w on w.profile_id = z.profile_id
where z.profile_id = any(array(select jsonb_array_elements_text(:profile_ids::text::jsonb)::bigint))
order by z.profile_id, z.zone_version;

-- name: quarters_from
-- Days: the next quarters to be built, by primary key.
select quarter, key_id, log_type_id, channel, sum(requests)::bigint as requests,
  sum(credits_micro)::bigint as credits_micro, max(last_ms) as last_ms
from quarters
where profile_id = :profile_id and quarter >= :first_quarter and quarter < :end_quarter
group by quarter, key_id, log_type_id, channel;

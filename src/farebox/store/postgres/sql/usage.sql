-- The usage reports, from day rollups of the version that reports read, summed over the nodes'
-- slots. Each answers one JSON text: a report is one step of the database.
-- Keys and log types come in as JSON lists, null for no filter.

-- name: usage_by_day
-- Daily report without a filter by key: by primary key of day_log_types.
select coalesce(json_agg(json_build_array(day, log_type_id, requests, credits_micro)), '[]')::text
from (
  select day, log_type_id, sum(requests)::bigint as requests,
    sum(credits_micro)::bigint as credits_micro
  from day_log_types
  where profile_id = :profile_id
    and zone_version = (select zone_version from workspaces where profile_id = :profile_id)
    and day >= :first_day and day < :end_day
    and (:log_type_ids::text is null or log_type_id in (
      select value::bigint from json_array_elements_text(:log_type_ids::json)))
  group by day, log_type_id
) summed;

-- name: usage_by_day_of_keys
-- Daily report of some keys: by primary key of days, grouped in its order.
select coalesce(json_agg(json_build_array(day, log_type_id, requests, credits_micro)), '[]')::text
from (
  select day, log_type_id, sum(requests)::bigint as requests,
    sum(credits_micro)::bigint as credits_micro
  from days
  where profile_id = :profile_id
    and zone_version = (select zone_version from workspaces where profile_id = :profile_id)
    and day >= :first_day and day < :end_day
    and (:log_type_ids::text is null or log_type_id in (
      select value::bigint from json_array_elements_text(:log_type_ids::json)))
    and key_id in (
      select value from json_array_elements_text(:key_ids::json))
  group by day, log_type_id
) summed;

-- name: usage_by_quarter
-- Hourly report: by primary key of quarters.
select coalesce(
  json_agg(json_build_array(quarter, log_type_id, requests, credits_micro)), '[]')::text
from (
  select quarter, log_type_id, sum(requests)::bigint as requests,
    sum(credits_micro)::bigint as credits_micro
  from quarters
  where profile_id = :profile_id
    and quarter >= :first_quarter and quarter < :end_quarter
    and (:log_type_ids::text is null or log_type_id in (
      select value::bigint from json_array_elements_text(:log_type_ids::json)))
    and (:key_ids::text is null or key_id in (
      select value from json_array_elements_text(:key_ids::json)))
  group by quarter, log_type_id
) summed;

-- name: usage_by_key
-- Breakdown without a filter by log type: by primary key of day_keys.
select coalesce(json_agg(
  json_build_array(key_id, masked_authentication, requests, credits_micro, last_ms)), '[]')::text
from (
  select key_id, sum(requests)::bigint as requests, sum(credits_micro)::bigint as credits_micro,
    max(last_ms) as last_ms
  from day_keys
  where profile_id = :profile_id
    and zone_version = (select zone_version from workspaces where profile_id = :profile_id)
    and day >= :first_day and day < :end_day
    and (:key_ids::text is null or key_id in (
      select value from json_array_elements_text(:key_ids::json)))
  group by key_id
) summed
join keys using (key_id);

-- name: usage_by_key_of_log_types
-- Breakdown of some log types: by primary key of days.
select coalesce(json_agg(
  json_build_array(key_id, masked_authentication, requests, credits_micro, last_ms)), '[]')::text
from (
  select key_id, sum(requests)::bigint as requests, sum(credits_micro)::bigint as credits_micro,
    max(last_ms) as last_ms
  from days
  where profile_id = :profile_id
    and zone_version = (select zone_version from workspaces where profile_id = :profile_id)
    and day >= :first_day and day < :end_day
    and log_type_id in (
      select value::bigint from json_array_elements_text(:log_type_ids::json))
    and (:key_ids::text is null or key_id in (
      select value from json_array_elements_text(:key_ids::json)))
  group by key_id
) summed
join keys using (key_id);

-- name: usage_by_log_type
-- Breakdown without a filter by key: by primary key of day_log_types.
select coalesce(json_agg(json_build_array(log_type_id, requests, credits_micro)), '[]')::text
from (
  select log_type_id, sum(requests)::bigint as requests,
    sum(credits_micro)::bigint as credits_micro
  from day_log_types
  where profile_id = :profile_id
    and zone_version = (select zone_version from workspaces where profile_id = :profile_id)
    and day >= :first_day and day < :end_day
    and (:log_type_ids::text is null or log_type_id in (
      select value::bigint from json_array_elements_text(:log_type_ids::json)))
  group by log_type_id
) summed;

-- name: usage_by_log_type_of_keys
-- Breakdown of some keys: by primary key of days.
select coalesce(json_agg(json_build_array(log_type_id, requests, credits_micro)), '[]')::text
from (
  select log_type_id, sum(requests)::bigint as requests,
    sum(credits_micro)::bigint as credits_micro
  from days
  where profile_id = :profile_id
    and zone_version = (select zone_version from workspaces where profile_id = :profile_id)
    and day >= :first_day and day < :end_day
    and (:log_type_ids::text is null or log_type_id in (
      select value::bigint from json_array_elements_text(:log_type_ids::json)))
    and key_id in (
      select value from json_array_elements_text(:key_ids::json))
  group by log_type_id
) summed;

-- name: counts_of_days
-- Profile usage, alerts and limits: [span, [api, portal, credits_micro]] of whole days. `spans` is
-- a JSON list of [profile_id, user_id, family_id, zone_version, first_day, end_day]; where user_id
-- and family_id are null, all keys count. By primary key.
select coalesce(json_agg(json_build_array(s.ordinal - 1, c.counts)), '[]')::text
from jsonb_array_elements(:spans::text::jsonb) with ordinality as s (span, ordinal)
cross join lateral (
  select json_build_array(
    coalesce(sum(requests) filter (where channel = 'api'), 0),
    coalesce(sum(requests) filter (where channel = 'portal'), 0),
    coalesce(sum(credits_micro), 0)) as counts
  from day_keys
  where profile_id = (s.span ->> 0)::bigint and zone_version = (s.span ->> 3)::bigint
    and day >= (s.span ->> 4)::bigint and day < (s.span ->> 5)::bigint
    and ((s.span ->> 1 is null and s.span ->> 2 is null) or key_id in (
      select keys.key_id from keys where keys.profile_id = (s.span ->> 0)::bigint
        and (keys.user_id = s.span ->> 1 or keys.family_id = s.span ->> 2)))
) c;

-- name: counts_of_quarters
-- The same of quarter hours; zone_version is null. By primary key.
select coalesce(json_agg(json_build_array(s.ordinal - 1, c.counts)), '[]')::text
from jsonb_array_elements(:spans::text::jsonb) with ordinality as s (span, ordinal)
cross join lateral (
  select json_build_array(
    coalesce(sum(requests) filter (where channel = 'api'), 0),
    coalesce(sum(requests) filter (where channel = 'portal'), 0),
    coalesce(sum(credits_micro), 0)) as counts
  from quarters
  where profile_id = (s.span ->> 0)::bigint
    and quarter >= (s.span ->> 4)::bigint and quarter < (s.span ->> 5)::bigint
    and ((s.span ->> 1 is null and s.span ->> 2 is null) or key_id in (
      select keys.key_id from keys where keys.profile_id = (s.span ->> 0)::bigint
        and (keys.user_id = s.span ->> 1 or keys.family_id = s.span ->> 2)))
) c;

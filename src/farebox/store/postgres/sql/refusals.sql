-- Refusals: their counts, and the newest explained.

-- name: refusals_add!
-- Refusals: the fields of RefusalSum.
insert into refusals
  (profile_id, quarter, key_id, denied_by, is_shadow, refusals, last_ms, slot)
select added.*, cast(current_setting('farebox.slot') as smallint)
from unnest(
  cast(:c1 as bigint[]), cast(:c2 as bigint[]), cast(:c3 as text[]), cast(:c4 as text[]),
  cast(:c5 as bigint[]), cast(:c6 as bigint[]), cast(:c7 as bigint[])) as added
on conflict (profile_id, quarter, key_id, denied_by, is_shadow, slot) do update set
  refusals = refusals.refusals + excluded.refusals,
  last_ms = greatest(refusals.last_ms, excluded.last_ms);

-- name: refusal_log_add!
-- Refusals: the id, then the fields of Explained.
insert into refusal_log (
  refusal_id, profile_id, time_ms, key_id, status, code, denied_by, log_type_id, channel, method,
  path, ip, limits, retry_at_ms, is_shadow
) select * from unnest(
  cast(:c1 as bigint[]), cast(:c2 as bigint[]), cast(:c3 as bigint[]), cast(:c4 as text[]),
  cast(:c5 as bigint[]), cast(:c6 as bigint[]), cast(:c7 as text[]), cast(:c8 as bigint[]),
  cast(:c9 as text[]), cast(:c10 as text[]), cast(:c11 as text[]), cast(:c12 as text[]),
  cast(:c13 as text[]), cast(:c14 as bigint[]), cast(:c15 as bigint[]));

-- name: refusal_rows
-- Refusals: the rows of a page, each by its id, the newest first.
select r.refusal_id, r.time_ms, r.profile_id, r.key_id, k.masked_authentication, r.status, r.code,
  r.denied_by, r.log_type_id, t.slug, r.channel, r.method, r.path, r.ip, r.limits, r.retry_at_ms,
  r.is_shadow
from refusal_log r
left join keys k on k.key_id = r.key_id
left join log_types t on t.log_type_id = r.log_type_id
where r.refusal_id = any (array(
  select cast(jsonb_array_elements_text(cast(:refusal_ids as jsonb)) as bigint)))
order by r.refusal_id desc;

-- name: refusals_by_key
-- Refusal counts: [key, mask, reason, refusals, in shadow, last] of a range of quarters.
select cast(coalesce(json_agg(json_build_array(
  key_id, masked_authentication, denied_by, refusals, shadow_refusals, last_ms)), '[]') as text)
from (
  select key_id, denied_by,
    coalesce(sum(refusals) filter (where is_shadow = 0), 0) as refusals,
    coalesce(sum(refusals) filter (where is_shadow = 1), 0) as shadow_refusals,
    max(last_ms) as last_ms
  from refusals
  where profile_id = :profile_id and quarter >= :first_quarter and quarter < :end_quarter
  group by key_id, denied_by
  order by sum(refusals) desc, key_id, denied_by limit :count
) counted
left join keys using (key_id);

-- name: refusals_by_day
-- Refusal counts: [day, reason, refusals, in shadow]; `days` are [day, first quarter, end quarter].
select cast(coalesce(
  json_agg(json_build_array(day, denied_by, refusals, shadow_refusals)), '[]') as text)
from (
  select cast(days.bounds ->> 0 as bigint) as day, r.denied_by,
    coalesce(sum(r.refusals) filter (where r.is_shadow = 0), 0) as refusals,
    coalesce(sum(r.refusals) filter (where r.is_shadow = 1), 0) as shadow_refusals
  from jsonb_array_elements(cast(:days as jsonb)) as days (bounds)
  join refusals r on r.profile_id = :profile_id
    and r.quarter >= cast(days.bounds ->> 1 as bigint)
    and r.quarter < cast(days.bounds ->> 2 as bigint)
  where (cast(:key_ids as text) is null or r.key_id in (
      select jsonb_array_elements_text(cast(:key_ids as jsonb))))
  group by 1, r.denied_by
) counted;

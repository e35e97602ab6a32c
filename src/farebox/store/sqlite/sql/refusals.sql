-- Refusals: their counts, and the newest explained.

-- name: refusals_add!
-- Refusals: the fields of RefusalSum.
insert into refusals (profile_id, quarter, key_id, denied_by, is_shadow, refusals, last_ms)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
on conflict (profile_id, quarter, key_id, denied_by, is_shadow) do update set
  refusals = refusals + excluded.refusals,
  last_ms = max(last_ms, excluded.last_ms);

-- name: refusal_log_add!
-- Refusals: the id, then the fields of Explained.
insert into refusal_log (
  refusal_id, profile_id, time_ms, key_id, status, code, denied_by, log_type_id, channel, method,
  path, ip, limits, retry_at_ms, is_shadow
) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15);

-- name: refusal_rows
-- Refusals: the rows of a page, each by its id, the newest first.
select r.refusal_id, r.time_ms, r.profile_id, r.key_id, k.masked_authentication, r.status, r.code,
  r.denied_by, r.log_type_id, t.slug, r.channel, r.method, r.path, r.ip, r.limits, r.retry_at_ms,
  r.is_shadow
from json_each(:refusal_ids) wanted
cross join refusal_log r on r.refusal_id = wanted.value
left join keys k on k.key_id = r.key_id
left join log_types t on t.log_type_id = r.log_type_id
order by r.refusal_id desc;

-- name: refusals_by_key
-- Refusal counts: [key, mask, reason, refusals, in shadow, last] of a range of quarters.
select json_group_array(
  json_array(key_id, masked_authentication, denied_by, refusals, shadow_refusals, last_ms))
from (
  select key_id, denied_by, sum(iif(is_shadow, 0, refusals)) as refusals,
    sum(iif(is_shadow, refusals, 0)) as shadow_refusals, max(last_ms) as last_ms
  from refusals
  where profile_id = :profile_id and quarter >= :first_quarter and quarter < :end_quarter
  group by key_id, denied_by
  order by sum(refusals) desc, key_id, denied_by limit :count
)
left join keys using (key_id);

-- name: refusals_by_day
-- Refusal counts: [day, reason, refusals, in shadow]; `days` are [day, first quarter, end quarter].
select json_group_array(json_array(day, denied_by, refusals, shadow_refusals))
from (
  select days.value ->> 0 as day, denied_by, sum(iif(is_shadow, 0, refusals)) as refusals,
    sum(iif(is_shadow, refusals, 0)) as shadow_refusals
  from json_each(:days) days
  cross join refusals r on r.profile_id = :profile_id
    and r.quarter >= days.value ->> 1 and r.quarter < days.value ->> 2
  where (:key_ids is null or key_id in (select value from json_each(:key_ids)))
  group by day, denied_by
);

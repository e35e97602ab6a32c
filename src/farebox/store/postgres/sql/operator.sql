-- What the operator's pages read, and what comes in.

-- name: ingest_add!
-- Recorder, once for each batch with new requests.
insert into ingest_minutes as kept (minute, requests, credits_micro, slot)
values (:minute, :requests, :credits_micro, current_setting('farebox.slot')::smallint)
on conflict (minute, slot) do update set
  requests = kept.requests + excluded.requests,
  credits_micro = kept.credits_micro + excluded.credits_micro;

-- name: credits_terms
-- Credits now: the terms of some workspaces, and the period opened last with what moved in it.
-- `profile_ids` is a JSON list.
select w.profile_id, w.plan_id, w.next_plan_id, w.anchor_day, w.created_at_ms, z.timezone,
  p.credits_per_month_micro, s.start_ms, s.end_ms, s.plan_id, s.opening_micro, m.granted_micro,
  m.expired_micro, m.charged_micro, m.corrected_micro
from workspaces w
join plans p on p.plan_id = coalesce(w.next_plan_id, w.plan_id)
cross join lateral (
  select timezone from workspace_zones
  where profile_id = w.profile_id order by zone_version desc limit 1
) z
left join lateral (
  select start_ms, end_ms, plan_id, opening_micro from periods
  where profile_id = w.profile_id order by start_ms desc limit 1
) s on true
cross join lateral (
  select cast(coalesce(sum(granted_micro), 0) as bigint) as granted_micro,
    cast(coalesce(sum(expired_micro), 0) as bigint) as expired_micro,
    cast(coalesce(sum(charged_micro), 0) as bigint) as charged_micro,
    cast(coalesce(sum(corrected_micro), 0) as bigint) as corrected_micro
  from period_sums where profile_id = w.profile_id and start_ms = s.start_ms
) m
where w.profile_id
  = any(array(select jsonb_array_elements_text(:profile_ids::text::jsonb)::bigint));

-- name: health_usage
-- Workspace health: what was used in some days, when the last request was, and the refusals since a
-- quarter. `spans` is a JSON list of [profile_id, zone_version, first_day, end_day].
select s.profile_id, u.requests, u.credits_micro, l.last_ms, r.refusals
from (
  select (span ->> 0)::bigint as profile_id, (span ->> 1)::bigint as zone_version,
    (span ->> 2)::bigint as first_day, (span ->> 3)::bigint as end_day
  from jsonb_array_elements(:spans::text::jsonb) as listed (span)
) s
cross join lateral (
  select coalesce(sum(requests), 0)::bigint as requests,
    coalesce(sum(credits_micro), 0)::bigint as credits_micro
  from day_log_types
  where profile_id = s.profile_id and zone_version = s.zone_version
    and day >= s.first_day and day < s.end_day
) u
cross join lateral (
  select max(last_ms) as last_ms from day_log_types
  where profile_id = s.profile_id and zone_version = s.zone_version
    and day = (select max(day) from day_log_types
      where profile_id = s.profile_id and zone_version = s.zone_version)
) l
cross join lateral (
  select coalesce(sum(refusals), 0)::bigint as refusals from refusals
  where profile_id = s.profile_id and quarter >= :first_quarter and is_shadow = 0
) r;

-- name: attention
-- Attention: workspaces that owe, have a tenth of the period's credits left or less, were refused
-- calls since a quarter, or are suspended; the worst first.
select profile_id, name, status, owed_micro, left_micro, given_micro, refusals
from (
  select w.profile_id, w.name, w.status,
    coalesce(o.debits_micro - o.credits_micro, 0) as owed_micro,
    p.opening_micro + m.moved_micro as left_micro,
    greatest(p.opening_micro, 0) + m.given_micro as given_micro, r.refusals
  from workspaces w
  left join accounts o on o.profile_id = w.profile_id and o.account = 'overdraft' and o.slot = 0
  left join lateral (
    select start_ms, opening_micro from periods
    where profile_id = w.profile_id order by start_ms desc limit 1
  ) p on true
  cross join lateral (
    select coalesce(sum(granted_micro - expired_micro), 0)::bigint as given_micro,
      coalesce(sum(granted_micro - expired_micro - charged_micro - corrected_micro), 0)::bigint
        as moved_micro
    from period_sums where profile_id = w.profile_id and start_ms = p.start_ms
  ) m
  cross join lateral (
    select coalesce(sum(refusals), 0)::bigint as refusals from refusals
    where profile_id = w.profile_id and quarter >= :first_quarter and is_shadow = 0
  ) r
) seen
where owed_micro > 0 or (given_micro > 0 and left_micro * 10 <= given_micro) or refusals > 0
  or status = 'suspended'
order by owed_micro desc, (given_micro > 0 and left_micro * 10 <= given_micro) desc, refusals desc,
  profile_id
limit :count;

-- name: quotas_full
-- Near quotas: workspaces that have used some percent of a quota of a day or a month, all users
-- together against one user's where they are each user's own. `zones` is a JSON list of [timezone,
-- the day, the first of the month]; days are whole, those after it too. By primary key.
select w.profile_id
from (
  select zone ->> 0 as timezone, (zone ->> 1)::bigint as day, (zone ->> 2)::bigint as month
  from jsonb_array_elements(:zones::text::jsonb) as listed (zone)
) t
join workspace_zones z on z.timezone = t.timezone
join workspaces w on w.profile_id = z.profile_id and w.zone_version = z.zone_version
join plans p on p.plan_id = w.plan_id
  and coalesce(p.api_day, p.portal_day, p.api_month, p.portal_month) is not null
cross join lateral (
  select sum(requests) filter (where channel = 'api' and day >= t.day) as api_day,
    sum(requests) filter (where channel = 'portal' and day >= t.day) as portal_day,
    sum(requests) filter (where channel = 'api') as api_month,
    sum(requests) filter (where channel = 'portal') as portal_month
  from day_keys
  where profile_id = w.profile_id and zone_version = w.zone_version
    and day >= case when coalesce(p.api_month, p.portal_month) is null then t.day else t.month end
) u
where greatest(
  u.api_day * 100 / nullif(p.api_day, 0), u.portal_day * 100 / nullif(p.portal_day, 0),
  u.api_month * 100 / nullif(p.api_month, 0), u.portal_month * 100 / nullif(p.portal_month, 0)
) >= :percent::bigint * case
  when least(w.is_quota_sharing_enabled, p.is_quota_sharing_available) = 1 then w.licences else 1
end;

-- name: report_zones
-- Near quotas: as report_zone, of some workspaces. `profile_ids` is a JSON list.
select w.profile_id, w.zone_version, z.timezone
from workspaces w
join workspace_zones z on z.profile_id = w.profile_id and z.zone_version = w.zone_version
where w.profile_id
  = any(array(select jsonb_array_elements_text(:profile_ids::text::jsonb)::bigint));

-- name: ledger_page
-- Ledger: a page of transfers, the newest first. By transfers_at_ms.
select t.at_ms, t.commit_id, t.ordinal, c.at_ms as committed_at_ms, t.kind, t.debit_account,
  t.credit_account, t.amount_micro, x.reason, x.query_log_id
from transfers t
join commits c on c.commit_id = t.commit_id
cross join lateral (
  select case when count(*) = 1 then max(reason) end as reason,
    case when count(*) = 1 then max(encode(query_log_id, 'hex')) end as query_log_id
  from corrections
  where profile_id = t.profile_id and at_ms = t.at_ms and commit_id = t.commit_id
) x
where t.profile_id = :profile_id
  and (t.at_ms, t.commit_id, t.ordinal) < (:at_ms, :commit_id, :ordinal)
  and (:with_draws = 1 or t.kind not in ('draw', 'return'))
order by t.at_ms desc, t.commit_id desc, t.ordinal desc limit :count;

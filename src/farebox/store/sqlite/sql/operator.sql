-- What the operator's pages read, and what comes in.

-- name: ingest_add!
-- Recorder, once for each batch with new requests.
insert into ingest_minutes (minute, requests, credits_micro)
values (:minute, :requests, :credits_micro)
on conflict (minute) do update set
  requests = requests + excluded.requests,
  credits_micro = credits_micro + excluded.credits_micro;

-- name: credits_terms
-- Credits now: the terms of some workspaces, and the period opened last with what moved in it.
-- `profile_ids` is a JSON list.
select w.profile_id, w.plan_id, w.next_plan_id, w.anchor_day, w.created_at_ms, z.timezone,
  p.credits_per_month_micro, s.start_ms, s.end_ms, s.plan_id, s.opening_micro, s.granted_micro,
  s.expired_micro, s.charged_micro, s.corrected_micro
from json_each(:profile_ids) wanted
cross join workspaces w on w.profile_id = wanted.value
join workspace_zones z on z.profile_id = w.profile_id
  and z.zone_version = (select max(zone_version) from workspace_zones
    where profile_id = w.profile_id)
join plans p on p.plan_id = coalesce(w.next_plan_id, w.plan_id)
left join periods s on s.profile_id = w.profile_id
  and s.start_ms = (select max(start_ms) from periods where profile_id = w.profile_id);

-- name: health_usage
-- Workspace health: what was used in some days, when the last request was, and the refusals since a
-- quarter. `spans` is a JSON list of [profile_id, zone_version, first_day, end_day].
select s.value ->> 0 as profile_id, coalesce(sum(d.requests), 0) as requests,
  coalesce(sum(d.credits_micro), 0) as credits_micro,
  (select max(last_ms) from day_log_types
    where profile_id = s.value ->> 0 and zone_version = s.value ->> 1
      and day = (select max(day) from day_log_types
        where profile_id = s.value ->> 0 and zone_version = s.value ->> 1)) as last_ms,
  (select coalesce(sum(refusals), 0) from refusals
    where profile_id = s.value ->> 0 and quarter >= :first_quarter and is_shadow = 0) as refusals
from json_each(:spans) s
left join day_log_types d on d.profile_id = s.value ->> 0 and d.zone_version = s.value ->> 1
  and d.day >= s.value ->> 2 and d.day < s.value ->> 3
group by s.key;

-- name: attention
-- Attention: workspaces that owe, have a tenth of the period's credits left or less, were refused
-- calls since a quarter, or are suspended; the worst first.
select * from (
  select w.profile_id, w.name, w.status,
    coalesce(o.debits_micro - o.credits_micro, 0) as owed_micro,
    p.opening_micro + p.granted_micro - p.expired_micro - p.charged_micro - p.corrected_micro
      as left_micro,
    max(p.opening_micro, 0) + p.granted_micro - p.expired_micro as given_micro,
    (select coalesce(sum(refusals), 0) from refusals
      where profile_id = w.profile_id and quarter >= :first_quarter and is_shadow = 0) as refusals
  from workspaces w
  left join accounts o on o.profile_id = w.profile_id and o.account = 'overdraft'
  left join periods p on p.profile_id = w.profile_id
    and p.start_ms = (select max(start_ms) from periods where profile_id = w.profile_id)
)
where owed_micro > 0 or (given_micro > 0 and left_micro * 10 <= given_micro) or refusals > 0
  or status = 'suspended'
order by owed_micro desc, given_micro > 0 and left_micro * 10 <= given_micro desc, refusals desc,
  profile_id
limit :count;

-- name: quotas_full
-- Near quotas: workspaces that have used some percent of a quota of a day or a month, all users
-- together against one user's where they are each user's own. `zones` is a JSON list of [timezone,
-- the day, the first of the month]; days are whole, those after it too. By primary key.
with t as materialized (
  select value ->> 0 as timezone, value ->> 1 as day, value ->> 2 as month from json_each(:zones)
)
select w.profile_id
from workspaces w
cross join plans p on p.plan_id = w.plan_id
  and coalesce(p.api_day, p.portal_day, p.api_month, p.portal_month) is not null
cross join workspace_zones z on z.profile_id = w.profile_id and z.zone_version = w.zone_version
cross join t on t.timezone = z.timezone
cross join day_keys d on d.profile_id = w.profile_id and d.zone_version = w.zone_version
  and d.day >= iif(coalesce(p.api_month, p.portal_month) is null, t.day, t.month)
group by w.profile_id
having max(
  coalesce(sum(d.requests) filter (where d.channel = 'api' and d.day >= t.day)
    * 100 / nullif(p.api_day, 0), 0),
  coalesce(sum(d.requests) filter (where d.channel = 'portal' and d.day >= t.day)
    * 100 / nullif(p.portal_day, 0), 0),
  coalesce(sum(d.requests) filter (where d.channel = 'api') * 100 / nullif(p.api_month, 0), 0),
  coalesce(sum(d.requests) filter (where d.channel = 'portal') * 100 / nullif(p.portal_month, 0), 0)
) >= :percent * iif(w.is_quota_sharing_enabled and p.is_quota_sharing_available, w.licences, 1);

-- name: report_zones
-- Near quotas: as report_zone, of some workspaces. `profile_ids` is a JSON list.
select w.profile_id, w.zone_version, z.timezone
from json_each(:profile_ids) wanted
cross join workspaces w on w.profile_id = wanted.value
join workspace_zones z on z.profile_id = w.profile_id and z.zone_version = w.zone_version;

-- name: ledger_page
-- Ledger: a page of transfers, the newest first. By primary key: commits are in the order of time.
select t.at_ms, t.commit_id, t.ordinal, c.at_ms as committed_at_ms, t.kind, t.debit_account,
  t.credit_account, t.amount_micro,
  (select iif(count(*) = 1, max(reason), null) from corrections
    where profile_id = t.profile_id and at_ms = t.at_ms and commit_id = t.commit_id) as reason,
  (select iif(count(*) = 1, lower(hex(max(query_log_id))), null) from corrections
    where profile_id = t.profile_id and at_ms = t.at_ms and commit_id = t.commit_id) as query_log_id
from transfers t
join commits c on c.commit_id = t.commit_id
where t.profile_id = :profile_id and t.at_ms <= :at_ms
  and (t.commit_id, t.ordinal) < (:commit_id, :ordinal)
  and (:with_draws = 1 or t.kind not in ('draw', 'return'))
order by t.commit_id desc, t.ordinal desc limit :count;

-- What the operator's pages read: workspaces, the ledger, audits, the fleet, what comes in.

-- name: workspaces_found
-- Workspace health: a page of workspaces, by primary key. `search` is a pattern in lower case,
-- `exact` the same as it was typed.
select w.profile_id, w.uid, w.name, p.slug as plan, n.slug as next_plan, w.timezone, w.status,
  w.zone_version, z.timezone as report_timezone, w.created_at_ms
from workspaces w
join plans p on p.plan_id = w.plan_id
left join plans n on n.plan_id = w.next_plan_id
join workspace_zones z on z.profile_id = w.profile_id and z.zone_version = w.zone_version
where w.profile_id > :after
  and (cast(:status as text) is null or w.status = :status)
  and (cast(:plan as text) is null or p.slug = :plan)
  and (cast(:search as text) is null or lower(w.name) like :search escape '\'
    or w.uid = :exact or cast(w.profile_id as text) = :exact)
order by w.profile_id limit :count;

-- name: ledger_balance
-- Ledger, first page: the balance by the book, of grants drawn or not, less what is owed.
select cast(coalesce(sum(credits_micro - debits_micro), 0) as bigint) from accounts
where profile_id = :profile_id
  and (account = 'overdraft' or substr(account, 1, 6) in ('grant:', 'drawn:'));

-- name: ledger_grants
-- Ledger: what the grants of a page were given for. By primary key.
select grant_id, kind from grants
where profile_id = :profile_id and grant_id >= :first_id and grant_id <= :last_id;

-- name: audits_page
-- Audits: a page of the history, the newest first. By primary key.
select audit_id, started_at_ms, ended_at_ms, requests, differences from audits
where audit_id < :before order by audit_id desc limit :count;

-- name: audit_get
-- Audits: one of the history with all that it tells.
select audit_id, started_at_ms, ended_at_ms, requests, differences, detail from audits
where audit_id = :audit_id;

-- name: fleet_nodes
-- Processes: the nodes that are there.
select node_id, entered_at_ms, renewals, now_ms from nodes
where renewals >= 0 order by entered_at_ms, node_id;

-- name: fleet_leases
-- Processes: the leases that are open or hold something back, and what they have drawn. By
-- draws_lease_id.
select l.lease_id, l.node_id, l.opened_at_ms, l.ended_at_ms,
  cast(coalesce(sum(d.units) filter (where d.name = 'hour'), 0) as bigint) as hour_units,
  cast(coalesce(sum(d.units) filter (where d.name = 'day'), 0) as bigint) as day_units,
  cast(coalesce(sum(d.units) filter (where d.name = 'month'), 0) as bigint) as month_units,
  cast(coalesce(sum(d.units) filter (where d.name = 'credits'), 0) as bigint) as credits_micro
from leases l
left join draws d on d.lease_id = l.lease_id and d.units > 0
  and (d.end_ms is null or d.end_ms > :now_ms)
group by l.lease_id, l.node_id, l.opened_at_ms, l.ended_at_ms
having l.ended_at_ms is null or count(d.units) > 0
order by l.ended_at_ms nulls first, l.opened_at_ms desc, l.lease_id limit :count;

-- name: fleet_draws
-- Processes: the workspaces that most credits are drawn of.
select d.profile_id, w.name,
  cast(sum(case when d.name = 'hour' then d.units else 0 end) as bigint) as hour_units,
  cast(sum(case when d.name = 'day' then d.units else 0 end) as bigint) as day_units,
  cast(sum(case when d.name = 'month' then d.units else 0 end) as bigint) as month_units,
  cast(sum(case when d.name = 'credits' and l.ended_at_ms is null then d.units else 0 end)
    as bigint) as credits_micro,
  cast(sum(case when d.name = 'credits' and l.ended_at_ms is not null then d.units else 0 end)
    as bigint) as held_back_micro
from draws d
join leases l on l.lease_id = d.lease_id
join workspaces w on w.profile_id = d.profile_id
where d.units > 0 and (d.end_ms is null or d.end_ms > :now_ms)
group by d.profile_id, w.name
order by 6 desc, 7 desc, 3 desc, d.profile_id limit :count;

-- name: ingest_since
-- Ingest: what was recorded, in parts of some minutes each. By primary key.
select minute / :width as part, cast(sum(requests) as bigint) as requests,
  cast(sum(credits_micro) as bigint) as credits_micro
from ingest_minutes where minute >= :first_minute
group by part;

-- name: ingest_forget!
-- Ingest, now and then: minutes that nobody looks at any more.
delete from ingest_minutes where minute < :before_minute;

-- name: refusals_of_all
-- Refusal totals: by day in UTC and reason, of all workspaces and of nobody's; one range of the
-- primary key each.
select r.quarter / 96 as day, r.denied_by,
  cast(sum(case when r.is_shadow = 0 then r.refusals else 0 end) as bigint) as refusals,
  cast(sum(case when r.is_shadow = 1 then r.refusals else 0 end) as bigint) as shadow_refusals
from (select profile_id from workspaces union all select 0) w
join refusals r on r.profile_id = w.profile_id
  and r.quarter >= :first_quarter and r.quarter < :end_quarter
group by 1, r.denied_by
order by 1, r.denied_by;

-- name: refusals_of_workspaces
-- Refusal totals: by workspace, the most frequent first; 0 is nobody's.
select w.profile_id, w.name,
  cast(sum(case when r.is_shadow = 0 then r.refusals else 0 end) as bigint) as refusals,
  cast(sum(case when r.is_shadow = 1 then r.refusals else 0 end) as bigint) as shadow_refusals
from (select profile_id, name from workspaces union all select 0, '') w
join refusals r on r.profile_id = w.profile_id
  and r.quarter >= :first_quarter and r.quarter < :end_quarter
group by w.profile_id, w.name
order by sum(r.refusals) desc, w.profile_id limit :count;

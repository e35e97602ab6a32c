-- Periods, grants and plans: what the recorder writes of workspaces' credits.

-- name: period_insert!
-- Books, when a period opens.
insert into periods (profile_id, start_ms, end_ms, plan_id, plan_micro, opening_micro)
values (:profile_id, :start_ms, :end_ms, :plan_id, :plan_micro, :opening_micro);

-- name: period_plan!
-- Books, when a workspace moves to another plan in mid-period.
update periods set plan_id = :plan_id, plan_micro = :plan_micro
where profile_id = :profile_id and start_ms = :start_ms;

-- name: grant_insert!
-- Books, for every grant.
insert into grants
  (profile_id, grant_id, kind, credits_micro, priority, created_at_ms, expires_at_ms)
values
  (:profile_id, :grant_id, :kind, :credits_micro, :priority, :created_at_ms, :expires_at_ms);

-- name: grant_last
-- Books: the last grant id of a workspace.
select max(grant_id) from grants where profile_id = :profile_id;

-- name: terms_get
-- Books: what the next period of a workspace depends on.
select w.plan_id, w.next_plan_id, w.anchor_day, w.created_at_ms, z.timezone,
  p.credits_per_month_micro
from workspaces w
join workspace_zones z on z.profile_id = w.profile_id
join plans p on p.plan_id = coalesce(w.next_plan_id, w.plan_id)
where w.profile_id = :profile_id
order by z.zone_version desc limit 1;

-- name: terms_take_next_plan!
-- Books, when a period opens: the plan that waited for it.
update workspaces set plan_id = next_plan_id, next_plan_id = null
where profile_id = :profile_id and next_plan_id is not null;

-- name: workspace_plans_insert!
-- Books and plan changes: the plan of a workspace from an instant on.
insert into workspace_plans (profile_id, from_ms, plan_id)
values (:profile_id, :from_ms, :plan_id)
on conflict (profile_id, from_ms) do update set plan_id = excluded.plan_id;

-- name: dues
-- Dues, now and then: workspaces of which something ends soon. By workspaces_due_ms.
select due_ms, profile_id from workspaces where due_ms <= :until_ms
order by due_ms, profile_id limit :count;

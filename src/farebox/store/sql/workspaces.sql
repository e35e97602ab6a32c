-- Workspaces: the writes and reads of the admin API.

-- name: workspace_insert!
-- Workspaces: a new workspace.
insert into workspaces (
  profile_id, uid, name, description, plan_id, next_plan_id, timezone, zone_version, licences,
  is_quota_sharing_enabled, anchor_day, status, is_auto_top_up_credits_enabled,
  auto_top_up_credit_micro, auto_top_up_balance_fall_below_micro, is_auto_top_up_granted,
  created_at_ms
) values (
  :profile_id, :uid, :name, :description, :plan_id, null, :timezone, 1, :licences,
  :is_quota_sharing_enabled, :anchor_day, :status, :is_auto_top_up_credits_enabled,
  :auto_top_up_credit_micro, :auto_top_up_balance_fall_below_micro, :is_auto_top_up_granted,
  :created_at_ms
);

-- name: workspace_update!
-- Workspaces: all that can change of a workspace, but its plan.
update workspaces set
  name = :name,
  description = :description,
  timezone = :timezone,
  licences = :licences,
  is_quota_sharing_enabled = :is_quota_sharing_enabled,
  anchor_day = :anchor_day,
  status = :status,
  is_auto_top_up_credits_enabled = :is_auto_top_up_credits_enabled,
  auto_top_up_credit_micro = :auto_top_up_credit_micro,
  auto_top_up_balance_fall_below_micro = :auto_top_up_balance_fall_below_micro,
  is_auto_top_up_granted = :is_auto_top_up_granted
where profile_id = :profile_id;

-- name: workspace_plan_set!
-- Workspaces: another plan, at once or from the next period on.
update workspaces set plan_id = :plan_id, next_plan_id = :next_plan_id
where profile_id = :profile_id;

-- name: session_epoch
-- Links: what the links that are made now carry.
select session_epoch from workspaces where profile_id = :profile_id;

-- name: session_epoch_set!
-- Links: the end of all that carry the one before.
update workspaces set session_epoch = :session_epoch where profile_id = :profile_id;

-- name: workspace_last
-- Workspaces: the last id.
select max(profile_id) from workspaces;

-- name: workspace_get
-- Workspaces and all that belongs to one: a workspace by its id.
select w.profile_id, w.uid, w.name, w.description, p.slug as plan, n.slug as next_plan,
  w.timezone, w.licences, w.is_quota_sharing_enabled, w.anchor_day, w.status,
  w.is_auto_top_up_credits_enabled, w.auto_top_up_credit_micro,
  w.auto_top_up_balance_fall_below_micro, w.is_auto_top_up_granted, u.user_id, w.created_at_ms
from workspaces w
join plans p on p.plan_id = w.plan_id
left join plans n on n.plan_id = w.next_plan_id
join users u on u.profile_id = w.profile_id and u.is_owner = 1
where w.profile_id = :profile_id;

-- name: workspaces_page
-- Workspaces: a page of the list, by primary key.
select w.profile_id, w.uid, w.name, w.description, p.slug as plan, n.slug as next_plan,
  w.timezone, w.licences, w.is_quota_sharing_enabled, w.anchor_day, w.status,
  w.is_auto_top_up_credits_enabled, w.auto_top_up_credit_micro,
  w.auto_top_up_balance_fall_below_micro, w.is_auto_top_up_granted, u.user_id, w.created_at_ms
from workspaces w
join plans p on p.plan_id = w.plan_id
left join plans n on n.plan_id = w.next_plan_id
join users u on u.profile_id = w.profile_id and u.is_owner = 1
where w.profile_id > :after order by w.profile_id limit :count;

-- name: workspace_zone_last
-- Workspaces: the last version of a workspace's zone.
select max(zone_version) from workspace_zones where profile_id = :profile_id;

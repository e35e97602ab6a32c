-- What every process keeps in memory; read whole at start, and by id after a change: a range of one
-- or of all, so that both go by the primary key.

-- name: directory_log_types
-- Directory: all log types.
select log_type_id, slug, name, method, path from log_types order by log_type_id;

-- name: directory_log_type_prices
-- Directory: all prices of log types.
select log_type_id, valid_from_ms, credits_micro, hold_micro from log_type_prices
order by log_type_id, valid_from_ms;

-- name: directory_plans
-- Directory: all plans.
select plan_id, slug, name, credits_per_month_micro, api_hour, api_day, api_month, portal_hour,
  portal_day, portal_month, requests_per_minute, requests_per_second, is_api_access_available,
  is_quota_sharing_available, unmapped, is_shadow
from plans order by plan_id;

-- name: directory_plan_prices
-- Directory: all prices of plans.
select plan_id, log_type_id, valid_from_ms, credits_micro from plan_prices
order by plan_id, log_type_id, valid_from_ms;

-- name: directory_workspaces
-- Directory: all workspaces, or one.
select profile_id, uid, name, description, plan_id, next_plan_id, timezone, zone_version, licences,
  is_quota_sharing_enabled, anchor_day, status, is_auto_top_up_credits_enabled,
  auto_top_up_credit_micro, auto_top_up_balance_fall_below_micro, is_auto_top_up_granted,
  created_at_ms, session_epoch
from workspaces
where profile_id between coalesce(:profile_id, cast(0 as bigint))
  and coalesce(:profile_id, 9223372036854775807)
order by profile_id;

-- name: directory_workspace_zones
-- Directory: the zones of all workspaces, or of one.
select profile_id, zone_version, from_ms, timezone from workspace_zones
where profile_id between coalesce(:profile_id, cast(0 as bigint))
  and coalesce(:profile_id, 9223372036854775807)
order by profile_id, zone_version;

-- name: directory_workspace_plans
-- Directory: the plans of all workspaces through time, or of one; last the one that waits for the
-- end of the open period.
select profile_id, from_ms, plan_id from workspace_plans
where profile_id between coalesce(:profile_id, cast(0 as bigint))
  and coalesce(:profile_id, 9223372036854775807)
union all
select w.profile_id, p.end_ms, w.next_plan_id
from workspaces w
join periods p on p.profile_id = w.profile_id and p.start_ms = (
  select max(q.start_ms) from periods q where q.profile_id = w.profile_id)
where w.profile_id between coalesce(:profile_id, cast(0 as bigint))
  and coalesce(:profile_id, 9223372036854775807)
  and w.next_plan_id is not null
order by profile_id, from_ms;

-- name: directory_tokens
-- Directory: all tokens.
select token_id, name, scope, digest, created_at_ms, revoked_at_ms from tokens order by token_id;

-- Plans: the writes and reads of the admin API.

-- name: plan_insert!
-- Plans: a new plan.
insert into plans (
  plan_id, slug, name, credits_per_month_micro, api_hour, api_day, api_month, portal_hour,
  portal_day, portal_month, requests_per_minute, requests_per_second, is_api_access_available,
  is_quota_sharing_available, unmapped, is_shadow, created_at_ms
) values (
  :plan_id, :slug, :name, :credits_per_month_micro, :api_hour, :api_day, :api_month, :portal_hour,
  :portal_day, :portal_month, :requests_per_minute, :requests_per_second,
  :is_api_access_available, :is_quota_sharing_available, :unmapped, :is_shadow, :created_at_ms
);

-- name: plan_update!
-- Plans: all that can change of a plan.
update plans set
  name = :name,
  credits_per_month_micro = :credits_per_month_micro,
  api_hour = :api_hour,
  api_day = :api_day,
  api_month = :api_month,
  portal_hour = :portal_hour,
  portal_day = :portal_day,
  portal_month = :portal_month,
  requests_per_minute = :requests_per_minute,
  requests_per_second = :requests_per_second,
  is_api_access_available = :is_api_access_available,
  is_quota_sharing_available = :is_quota_sharing_available,
  unmapped = :unmapped,
  is_shadow = :is_shadow
where plan_id = :plan_id;

-- name: plan_last
-- Plans: the last plan id.
select max(plan_id) from plans;

-- name: plan_price_put!
-- Plans: the price of a log type from an instant on.
insert into plan_prices (plan_id, log_type_id, valid_from_ms, credits_micro)
values (:plan_id, :log_type_id, :valid_from_ms, :credits_micro)
on conflict (plan_id, log_type_id, valid_from_ms) do update set
  credits_micro = excluded.credits_micro;

-- name: plan_of_slug
-- Plans and workspaces: a plan by its slug.
select plan_id, slug, name, credits_per_month_micro, api_hour, api_day, api_month, portal_hour,
  portal_day, portal_month, requests_per_minute, requests_per_second, is_api_access_available,
  is_quota_sharing_available, unmapped, is_shadow, created_at_ms
from plans where slug = :slug;

-- name: plans_page
-- Plans: a page of the list, by primary key.
select plan_id, slug, name, credits_per_month_micro, api_hour, api_day, api_month, portal_hour,
  portal_day, portal_month, requests_per_minute, requests_per_second, is_api_access_available,
  is_quota_sharing_available, unmapped, is_shadow, created_at_ms
from plans where plan_id > :after order by plan_id limit :count;

-- name: plan_prices_of
-- Plans: a plan's own prices, oldest first. By primary key.
select t.slug, p.valid_from_ms, p.credits_micro
from plan_prices p
join log_types t on t.log_type_id = p.log_type_id
where p.plan_id = :plan_id
order by p.valid_from_ms, t.slug;

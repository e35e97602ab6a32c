-- Leases and what processes have drawn; the recorder keeps all of it in memory, too.

-- name: draws_all
-- Draws, at first use: every lot that is drawn, of every lease.
select profile_id, lease_id, lot_id, name, scope, channel, start_ms, end_ms, units from draws
order by lease_id, lot_id;

-- name: draws_put!
-- Draws, before each commit that moved some: by primary key.
insert into draws
  (profile_id, lease_id, lot_id, name, scope, channel, start_ms, end_ms, units)
select * from unnest(
  :c1::bigint[], :c2::bigint[], :c3::bigint[], :c4::text[], :c5::text[], :c6::text[],
  :c7::bigint[], :c8::bigint[], :c9::bigint[])
on conflict (profile_id, lease_id, lot_id) do update set units = excluded.units;

-- name: draws_drop!
-- Draws: lots that nothing is left of, or whose window has closed. By primary key.
delete from draws d
using unnest(:c1::bigint[], :c2::bigint[], :c3::bigint[]) as gone (profile_id, lease_id, lot_id)
where d.profile_id = gone.profile_id and d.lease_id = gone.lease_id and d.lot_id = gone.lot_id;

-- name: leases_end_all!
-- Restore: what was drawn before a backup was made is nobody's; the recorder takes it back.
update leases set ended_at_ms = 0;

-- name: leases_all
-- Draws, at first use.
select lease_id, hold_ms, ended_at_ms from leases order by lease_id;

-- name: lease_insert!
-- Draws, when a process draws for the first time.
insert into leases (lease_id, opened_at_ms, hold_ms) values (:lease_id, :opened_at_ms, :hold_ms);

-- name: lease_end!
-- Draws, when a lease ends.
update leases set ended_at_ms = :ended_at_ms where lease_id = :lease_id;

-- name: lease_drop!
-- Draws, when nothing is drawn any more by a lease that has ended.
delete from leases where lease_id = :lease_id;

-- name: limits_get
-- Limits, at first use of a workspace: what its plan allows to one licence.
select w.licences,
  least(w.is_quota_sharing_enabled, p.is_quota_sharing_available) as is_shared,
  p.requests_per_second, p.requests_per_minute, p.api_hour, p.api_day, p.api_month,
  p.portal_hour, p.portal_day, p.portal_month
from workspaces w
join plans p on p.plan_id = w.plan_id
where w.profile_id = :profile_id;

-- name: key_cap
-- Limits: what the keys of a family may use of credits in a period, together. By keys_family_id.
select min(credits_cap_micro) from keys
where profile_id = :profile_id and family_id = :family_id;

-- name: keys_of_user
-- Counters: as a JSON list. By keys_profile_id.
select coalesce(json_agg(key_id), '[]')::text from keys
where profile_id = :profile_id and user_id = :user_id;

-- name: keys_of_family
-- Counters: as a JSON list. By keys_family_id.
select coalesce(json_agg(key_id), '[]')::text from keys
where profile_id = :profile_id and family_id = :family_id;

-- name: key_scopes
-- Counters: whose a key is. By primary key.
select user_id, family_id from keys where key_id = :key_id;

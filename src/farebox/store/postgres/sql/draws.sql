-- Nodes, leases and what processes have drawn. `profile_ids`, `lease_ids` are JSON lists.

-- name: draws_of
-- Draws, where others write: the lots of workspaces, of all leases or of some. By primary key.
select profile_id, lease_id, lot_id, name, scope, channel, start_ms, end_ms, units from draws
where profile_id = any(array(select jsonb_array_elements_text(:profile_ids::text::jsonb)::bigint))
  and (:lease_ids::text is null
    or lease_id = any(array(select jsonb_array_elements_text(:lease_ids::text::jsonb)::bigint)))
order by lease_id, lot_id;

-- name: draws_profiles
-- Draws, where others write: which workspaces leases have drawn of. By draws_lease_id.
select distinct profile_id from draws
where lease_id = any(array(select jsonb_array_elements_text(:lease_ids::text::jsonb)::bigint))
order by profile_id;

-- name: draws_credit_profiles
-- Draws, where others write: some of the workspaces that leases have drawn credits of. By
-- draws_lease_id.
select distinct profile_id from draws
where lease_id = any(array(select jsonb_array_elements_text(:lease_ids::text::jsonb)::bigint))
  and name in ('credits', 'key_credits')
order by profile_id
limit :count;

-- name: draws_closed
-- Leases, now and then: some of what leases drew of windows that have closed. By draws_lease_id.
select profile_id, lease_id, lot_id, name, scope, channel, start_ms, end_ms, units from draws
where lease_id = any(array(select jsonb_array_elements_text(:lease_ids::text::jsonb)::bigint))
  and end_ms <= :before_ms
order by profile_id, lease_id, lot_id
limit :count;

-- name: leases_drawing
-- Leases: those that have drawn of windows that are open, or of credits. By draws_lease_id.
select distinct lease_id from draws
where lease_id = any(array(select jsonb_array_elements_text(:lease_ids::text::jsonb)::bigint))
  and (end_ms is null or end_ms > :before_ms)
order by lease_id;

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

-- name: leases_of
-- Draws, where others write: some, and those that have drawn of workspaces. By primary keys.
select lease_id, hold_ms, ended_at_ms, is_parted, node_id from leases
where lease_id = any(array(
  select jsonb_array_elements_text(:lease_ids::text::jsonb)::bigint
  union
  select lease_id from draws where profile_id = any(array(
    select jsonb_array_elements_text(:profile_ids::text::jsonb)::bigint))))
order by lease_id;

-- name: node_enter
-- Nodes, when a recorder opens the database: it is a node from now on. Its slot is the first that
-- is free; one that was another's before holds sums to which it adds.
with entered as (
  insert into nodes (node_id, slot, entered_at_ms, renewals, now_ms)
  select :node_id, min(free)::smallint, :now_ms, 0, :now_ms
  from generate_series(1, 1000) as free
  where not exists (select 1 from nodes where slot = free)
  returning node_id, slot
)
select node_id from entered where set_config('farebox.slot', slot::text, false) is not null;

-- name: node_hold
-- Nodes, in every transaction where others write: this node is there until its end.
select node_id from nodes where node_id = :node_id for key share;

-- name: node_end!
-- Nodes, when one has been silent for too long, or is over for good; not while it is held.
delete from nodes where node_id = (
  select node_id from nodes where node_id = :node_id and renewals = :renewals
  for update skip locked);

-- name: credits_held
-- Credits now: what can't be spent, beside what live processes of this node hold: what ended leases
-- have drawn of grants that are live, and what other nodes hold. By primary keys.
select profile_id, sum(held_micro)::bigint as held_micro
from (
  select d.profile_id, d.units as held_micro
  from draws d
  join leases l on l.lease_id = d.lease_id
  join grants g on g.profile_id = d.profile_id and cast(g.grant_id as text) = d.scope
  where d.profile_id = any(array(
      select jsonb_array_elements_text(:profile_ids::text::jsonb)::bigint))
    and d.name = 'credits' and l.ended_at_ms is not null
    and (g.expires_at_ms is null or g.expires_at_ms > :now_ms)
  union all
  select h.profile_id, h.held_micro
  from nodes n
  join node_holdings h on h.node_id = n.node_id
    and h.profile_id = any(array(
      select jsonb_array_elements_text(:profile_ids::text::jsonb)::bigint))
  where n.node_id <> :node_id
) as held
group by profile_id;

-- name: node_holdings_put!
-- Nodes, with a renewal: what this node's reservations hold by now, while it is a node. By primary
-- key.
insert into node_holdings (node_id, profile_id, held_micro)
select told.* from unnest(:c1::bigint[], :c2::bigint[], :c3::bigint[])
  as told (node_id, profile_id, held_micro)
join nodes n on n.node_id = told.node_id
for key share of n
on conflict (node_id, profile_id) do update set held_micro = excluded.held_micro;

-- name: node_holdings_drop!
-- Nodes, with a renewal: workspaces of which this node's reservations hold nothing any more.
delete from node_holdings h
using unnest(:c1::bigint[], :c2::bigint[]) as free (node_id, profile_id)
where h.node_id = free.node_id and h.profile_id = free.profile_id;

-- name: end_elsewhere_insert!
-- Ends, when a process ends what another one holds; not by a lease that is being forgotten.
insert into ends_elsewhere (lease_id, number, taken_micro, profile_id, identity)
select lease_id, :number, :taken_micro, :profile_id, :identity from leases
where lease_id = :lease_id
for key share skip locked
on conflict (profile_id, identity) do nothing;

-- name: ends_elsewhere_among
-- Ends, when a process finds what it holds ended already: those of some reservations, a JSON list
-- of [profile_id, hex]. By primary key.
select e.profile_id, e.identity
from jsonb_array_elements(:identities::text::jsonb) as asked (pair)
join ends_elsewhere e on e.profile_id = (asked.pair ->> 0)::bigint
  and e.identity = decode(asked.pair ->> 1, 'hex');

-- name: ends_elsewhere_of
-- Ends, with each renewal where nobody else writes. By ends_elsewhere_lease_id.
select lease_id, number, taken_micro, profile_id, identity from ends_elsewhere
where lease_id = any(array(select jsonb_array_elements_text(:lease_ids::text::jsonb)::bigint));

-- name: ends_elsewhere_forget!
-- Ends, when they were heard. By primary key.
delete from ends_elsewhere e
using unnest(:c1::bigint[], :c2::bytea[]) as heard (profile_id, identity)
where e.profile_id = heard.profile_id and e.identity = heard.identity;

-- name: clock_bounds
-- Nodes, when they enter and with each renewal: the server's clock, and what was recorded last.
select (extract(epoch from clock_timestamp()) * 1000)::bigint,
  coalesce((select max(at_ms) from commits), 0);

-- name: recall_put!
-- Recalls, where a limit has nothing left and another process has drawn of it. By the server's
-- clock: those of the nodes may differ.
insert into recalls (profile_id, at_ms)
values (:profile_id, (extract(epoch from clock_timestamp()) * 1000)::bigint)
on conflict (profile_id) do update set at_ms = excluded.at_ms;

-- name: recalls_forget!
-- Recalls, now and then where others write: those that every node was told of long ago. What is
-- being renewed is waited for by nobody.
delete from recalls where profile_id in (
  select profile_id from recalls
  where at_ms < (extract(epoch from clock_timestamp()) * 1000)::bigint - :kept_ms
  for update skip locked);

-- name: limits_of
-- Limits, for workspaces in use: what their plans allow to one licence.
select w.profile_id, w.licences,
  least(w.is_quota_sharing_enabled, p.is_quota_sharing_available) as is_shared,
  p.requests_per_second, p.requests_per_minute, p.api_hour, p.api_day, p.api_month,
  p.portal_hour, p.portal_day, p.portal_month
from workspaces w
join plans p on p.plan_id = w.plan_id
where w.profile_id
  = any(array(select jsonb_array_elements_text(:profile_ids::text::jsonb)::bigint));

-- name: key_caps
-- Limits: what the keys of families may use of credits in a period, together; `families` is a JSON
-- list of [profile_id, family_id]. By keys_family_id.
select k.profile_id, k.family_id, min(k.credits_cap_micro) as cap_micro
from jsonb_array_elements(:families::text::jsonb) as f (pair)
join keys k on k.profile_id = (f.pair ->> 0)::bigint and k.family_id = f.pair ->> 1
group by k.profile_id, k.family_id;

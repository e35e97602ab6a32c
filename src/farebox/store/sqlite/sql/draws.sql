-- Nodes, leases and what processes have drawn. `profile_ids`, `lease_ids` are JSON lists.

-- name: draws_of
-- Draws, where others write: the lots of workspaces, of all leases or of some. By primary key.
select profile_id, lease_id, lot_id, name, scope, channel, start_ms, end_ms, units from draws
where profile_id in (select value from json_each(:profile_ids))
  and (:lease_ids is null or lease_id in (select value from json_each(:lease_ids)))
order by lease_id, lot_id;

-- name: draws_profiles
-- Draws, where others write: which workspaces leases have drawn of. By draws_lease_id.
select distinct profile_id from draws
where lease_id in (select value from json_each(:lease_ids)) order by profile_id;

-- name: draws_credit_profiles
-- Draws, where others write: some of the workspaces that leases have drawn credits of. By
-- draws_lease_id.
select distinct profile_id from draws
where lease_id in (select value from json_each(:lease_ids))
  and name in ('credits', 'key_credits')
order by profile_id
limit :count;

-- name: draws_closed
-- Leases, now and then: some of what leases drew of windows that have closed. By draws_lease_id.
select profile_id, lease_id, lot_id, name, scope, channel, start_ms, end_ms, units from draws
where lease_id in (select value from json_each(:lease_ids)) and end_ms <= :before_ms
order by profile_id, lease_id, lot_id
limit :count;

-- name: leases_drawing
-- Leases: those that have drawn of windows that are open, or of credits. By draws_lease_id.
select distinct lease_id from draws
where lease_id in (select value from json_each(:lease_ids))
  and (end_ms is null or end_ms > :before_ms)
order by lease_id;

-- name: draws_put!
-- Draws, before each commit that moved some: by primary key.
insert into draws
  (profile_id, lease_id, lot_id, name, scope, channel, start_ms, end_ms, units)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
on conflict (profile_id, lease_id, lot_id) do update set units = excluded.units;

-- name: draws_drop!
-- Draws: lots that nothing is left of, or whose window has closed. By primary key.
delete from draws where profile_id = ?1 and lease_id = ?2 and lot_id = ?3;

-- name: leases_of
-- Draws, where others write: some, and those that have drawn of workspaces. By primary keys.
select lease_id, hold_ms, ended_at_ms, is_parted, node_id from leases
where lease_id in (select value from json_each(:lease_ids))
  or lease_id in (select lease_id from draws
    where profile_id in (select value from json_each(:profile_ids)))
order by lease_id;

-- name: node_enter
-- Nodes, when a recorder opens the database: it is a node from now on.
insert into nodes (node_id, entered_at_ms, renewals, now_ms)
values (:node_id, :now_ms, 0, :now_ms) returning node_id;

-- name: node_hold
-- Nodes, in every transaction where others write: this node is there until its end.
select node_id from nodes where node_id = :node_id;

-- name: node_end!
-- Nodes, when one has been silent for too long, or is over for good.
delete from nodes where node_id = :node_id and renewals = :renewals;

-- name: credits_held
-- Credits now: what can't be spent, beside what live processes of this node hold: what ended leases
-- have drawn of grants that are live, and what other nodes hold. By primary keys.
select profile_id, sum(held_micro) as held_micro
from (
  select d.profile_id, d.units as held_micro
  from draws d
  join leases l on l.lease_id = d.lease_id
  join grants g on g.profile_id = d.profile_id and cast(g.grant_id as text) = d.scope
  where d.profile_id in (select value from json_each(:profile_ids))
    and d.name = 'credits' and l.ended_at_ms is not null
    and (g.expires_at_ms is null or g.expires_at_ms > :now_ms)
  union all
  select h.profile_id, h.held_micro
  from nodes n
  join node_holdings h on h.node_id = n.node_id
    and h.profile_id in (select value from json_each(:profile_ids))
  where n.node_id <> :node_id
) as held
group by profile_id;

-- name: node_holdings_put!
-- Nodes, with a renewal: what this node's reservations hold by now. By primary key.
insert into node_holdings (node_id, profile_id, held_micro) values (?1, ?2, ?3)
on conflict (node_id, profile_id) do update set held_micro = excluded.held_micro;

-- name: node_holdings_drop!
-- Nodes, with a renewal: workspaces of which this node's reservations hold nothing any more.
delete from node_holdings where node_id = ?1 and profile_id = ?2;

-- name: end_elsewhere_insert!
-- Ends, when a process ends what another one holds; not by a lease that is no more.
insert into ends_elsewhere (lease_id, number, taken_micro, profile_id, identity)
select lease_id, :number, :taken_micro, :profile_id, :identity from leases
where lease_id = :lease_id
on conflict (profile_id, identity) do nothing;

-- name: ends_elsewhere_among
-- Ends, when a process finds what it holds ended already: those of some reservations, a JSON list
-- of [profile_id, hex]. By primary key.
select e.profile_id, e.identity
from json_each(:identities) a
join ends_elsewhere e on e.profile_id = a.value ->> 0 and e.identity = unhex(a.value ->> 1);

-- name: ends_elsewhere_of
-- Ends, with each renewal where nobody else writes. By ends_elsewhere_lease_id.
select lease_id, number, taken_micro, profile_id, identity from ends_elsewhere
where lease_id in (select value from json_each(:lease_ids));

-- name: ends_elsewhere_forget!
-- Ends, when they were heard. By primary key.
delete from ends_elsewhere where profile_id = ?1 and identity = ?2;

-- name: clock_bounds
-- Nodes, when they enter and with each renewal: the server's clock, and what was recorded last.
select cast(unixepoch('subsec') * 1000 as integer),
  coalesce((select max(at_ms) from commits), 0);

-- name: recall_put!
-- Recalls, where a limit has nothing left and another process has drawn of it. By the server's
-- clock: those of the nodes may differ.
insert into recalls (profile_id, at_ms)
values (:profile_id, cast(unixepoch('subsec') * 1000 as integer))
on conflict (profile_id) do update set at_ms = excluded.at_ms;

-- name: recalls_forget!
-- Recalls, now and then where others write: those that every node was told of long ago.
delete from recalls where at_ms < cast(unixepoch('subsec') * 1000 as integer) - :kept_ms;

-- name: limits_of
-- Limits, for workspaces in use: what their plans allow to one licence.
select w.profile_id, w.licences,
  w.is_quota_sharing_enabled and p.is_quota_sharing_available as is_shared,
  p.requests_per_second, p.requests_per_minute, p.api_hour, p.api_day, p.api_month,
  p.portal_hour, p.portal_day, p.portal_month
from workspaces w
join plans p on p.plan_id = w.plan_id
where w.profile_id in (select value from json_each(:profile_ids));

-- name: key_caps
-- Limits: what the keys of families may use of credits in a period, together; `families` is a JSON
-- list of [profile_id, family_id]. By keys_family_id.
select k.profile_id, k.family_id, min(k.credits_cap_micro) as cap_micro
from json_each(:families) f
join keys k on k.profile_id = f.value ->> 0 and k.family_id = f.value ->> 1
group by k.profile_id, k.family_id;

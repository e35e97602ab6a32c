-- Nodes, leases and what processes have drawn.

-- name: draws_all
-- Draws, at first use where nobody else writes: every lot that is drawn, of every lease.
select profile_id, lease_id, lot_id, name, scope, channel, start_ms, end_ms, units from draws
order by lease_id, lot_id;

-- name: leases_end_all!
-- Restore: what was drawn before a backup was made is nobody's; the recorder takes it back.
update leases set ended_at_ms = 0;

-- name: leases_all
-- Draws, at first use where nobody else writes.
select lease_id, hold_ms, ended_at_ms, is_parted, node_id from leases order by lease_id;

-- name: lease_insert!
-- Draws, when a process draws for the first time: a lease of this node.
insert into leases (lease_id, node_id, opened_at_ms, hold_ms, is_parted)
values (:lease_id, :node_id, :opened_at_ms, :hold_ms, 0);

-- name: leases_adopt
-- Nodes, when another one has gone: its leases are this one's, and over.
update leases set node_id = :node_id, ended_at_ms = coalesce(ended_at_ms, :now_ms)
where node_id = :gone_id
returning lease_id, hold_ms, ended_at_ms, is_parted, node_id;

-- name: leases_adopt_left
-- Nodes, when a recorder opens the database: leases of no node, as after a move.
update leases set node_id = :node_id, ended_at_ms = coalesce(ended_at_ms, :now_ms)
where node_id is null or node_id not in (select node_id from nodes)
returning lease_id, hold_ms, ended_at_ms, is_parted, node_id;

-- name: node_renew
-- Nodes, a few times a second where others write. It waits for the disk, and for a synchronous
-- standby: a server that was replaced must not keep a node in trust.
update nodes set renewals = renewals + 1, now_ms = :now_ms where node_id = :node_id
returning node_id;

-- name: node_leave!
-- Nodes, when a recorder ends as it should: nobody has to wait until it is silent.
update nodes set renewals = -1 where node_id = :node_id;

-- name: nodes_all
-- Nodes, with each renewal.
select node_id, renewals, now_ms from nodes order by node_id;

-- name: ends_elsewhere_of_node
-- Ends, with each renewal where others write. By leases_node_id and ends_elsewhere_lease_id.
select e.lease_id, e.number, e.taken_micro, e.profile_id, e.identity
from leases l
join ends_elsewhere e on e.lease_id = l.lease_id
where l.node_id = :node_id and l.ended_at_ms is null;

-- name: ends_elsewhere_drop!
-- Draws, with the lease that held them. By ends_elsewhere_lease_id.
delete from ends_elsewhere where lease_id = :lease_id;

-- name: fleet_now
-- Housekeeping, every few seconds: who is there, and what ended leases still hold. By
-- draws_lease_id, of the few leases that have ended.
select (select count(*) from nodes where renewals >= 0) as nodes,
  cast(coalesce(sum(d.units) filter (where d.name not in ('credits', 'key_credits')), 0) as bigint)
    as held_back_units,
  cast(coalesce(sum(d.units) filter (where d.name = 'credits'), 0) as bigint) as held_back_micro
from leases l
join draws d on d.lease_id = l.lease_id
where l.ended_at_ms is not null and (d.end_ms is null or d.end_ms > :now_ms);

-- name: recalls_since
-- Nodes, with each renewal: what was recalled since the last.
select profile_id, at_ms from recalls where at_ms > :since_ms order by at_ms, profile_id;

-- name: lease_end!
-- Draws, when a lease ends.
update leases set ended_at_ms = :ended_at_ms where lease_id = :lease_id;

-- name: lease_part!
-- Draws, when a process tells what it has left of a lease.
update leases set is_parted = 1 where lease_id = :lease_id;

-- name: lease_drop!
-- Draws, when nothing is drawn any more by a lease that has ended.
delete from leases where lease_id = :lease_id;

-- name: key_scopes
-- Counters: whose a key is. By primary key.
select user_id, family_id from keys where key_id = :key_id;

-- Alerts: thresholds, and when they were reached.

-- name: alerts_watched
-- Watcher, every second: all alerts, and for each workspace what moves when it changes. Requests
-- are those of the quarter hour of the ledger's clock; all by primary keys, once a workspace.
with moved as materialized (
  select p.profile_id,
    coalesce((select max(t.commit_id) from transfers t where t.profile_id = p.profile_id), 0)
      as last_commit_id,
    coalesce((select sum(c.requests) from charges c
      where c.profile_id = p.profile_id and c.quarter >= :quarter), 0) as requests
  from (select distinct profile_id from alerts) p
)
select json_group_array(json_array(a.profile_id, a.alert_id, a.kind, a.channel,
  json(a.thresholds), a.created_at_ms, m.last_commit_id, m.requests))
from moved m join alerts a using (profile_id);

-- name: periods_ended
-- Watcher: periods that ended after an instant, without what expired only at their very end.
-- Without the hint all transfers of the workspace would be read.
select p.start_ms, p.end_ms, p.opening_micro, p.granted_micro, p.expired_micro - coalesce((
    select sum(t.amount_micro) from transfers t indexed by transfers_listed
    where t.profile_id = p.profile_id and t.at_ms = p.end_ms - 1
      and t.kind in ('grant', 'expiry', 'correction') and t.kind = 'expiry'), 0) as expired_micro,
  p.charged_micro, p.corrected_micro
from periods p
where p.profile_id = :profile_id and p.end_ms > :since_ms and p.end_ms <= :now_ms
order by p.start_ms;

-- Alerts: thresholds, and when they were reached.

-- name: alerts_watched
-- Watcher, every second: all alerts, and for each workspace what moves when it changes. Requests
-- are those of the quarter hour of the ledger's clock; all by primary keys, once a workspace. Here
-- commits don't come in the order of their ids; all that was debited stands for the last of them.
with moved as materialized (
  select p.profile_id,
    coalesce((select cast(sum(a.debits_micro) as bigint) from accounts a
      where a.profile_id = p.profile_id), 0) as last_commit_id,
    coalesce((select cast(sum(c.requests) as bigint) from charges c
      where c.profile_id = p.profile_id and c.quarter >= :quarter), 0) as requests
  from (select distinct profile_id from alerts) p
)
select cast(coalesce(json_agg(json_build_array(a.profile_id, a.alert_id, a.kind, a.channel,
  cast(a.thresholds as json), a.created_at_ms, m.last_commit_id, m.requests)), '[]') as text)
from moved m join alerts a using (profile_id);

-- name: periods_ended
-- Watcher: periods that ended after an instant, without what expired only at their very end.
select p.start_ms, p.end_ms, p.opening_micro, m.granted_micro, m.expired_micro - coalesce((
    select cast(sum(t.amount_micro) as bigint) from transfers t
    where t.profile_id = p.profile_id and t.at_ms = p.end_ms - 1
      and t.kind in ('grant', 'expiry', 'correction') and t.kind = 'expiry'), 0) as expired_micro,
  m.charged_micro, m.corrected_micro
from periods p
cross join lateral (
  select cast(coalesce(sum(s.granted_micro), 0) as bigint) as granted_micro,
    cast(coalesce(sum(s.expired_micro), 0) as bigint) as expired_micro,
    cast(coalesce(sum(s.charged_micro), 0) as bigint) as charged_micro,
    cast(coalesce(sum(s.corrected_micro), 0) as bigint) as corrected_micro
  from period_sums s where s.profile_id = p.profile_id and s.start_ms = p.start_ms
) m
where p.profile_id = :profile_id and p.end_ms > :since_ms and p.end_ms <= :now_ms
order by p.start_ms;

-- Alerts: thresholds, and when they were reached.

-- name: alert_insert!
-- Alerts: a new one.
insert into alerts (profile_id, alert_id, kind, channel, thresholds, created_at_ms)
values (:profile_id, :alert_id, :kind, :channel, :thresholds, :created_at_ms);

-- name: alert_delete!
-- Alerts: the end of one.
delete from alerts where profile_id = :profile_id and alert_id = :alert_id;

-- name: alert_firings_delete!
-- Alerts: what one that ends has told.
delete from alert_firings where profile_id = :profile_id and alert_id = :alert_id;

-- name: alert_get
-- Alerts: one of a workspace.
select profile_id, alert_id, kind, channel, thresholds, created_at_ms from alerts
where profile_id = :profile_id and alert_id = :alert_id;

-- name: alerts_count
-- Alerts: how many a workspace has.
select count(*) from alerts where profile_id = :profile_id;

-- name: alerts_page
-- Alerts: a page of a workspace's list, the oldest first.
select profile_id, alert_id, kind, channel, thresholds, created_at_ms from alerts
where profile_id = :profile_id and (created_at_ms, alert_id) > (:after_ms, :after_id)
order by created_at_ms, alert_id limit :count;

-- name: alert_firings_last
-- Alerts: what one has told last. By primary key.
select window_start_ms, threshold_percent, window_end_ms, used, allowed, user_id, fired_at_ms
from alert_firings
where profile_id = :profile_id and alert_id = :alert_id
order by window_start_ms desc, threshold_percent desc limit :count;

-- name: alert_firing_insert!
-- Alerts: a threshold was reached; a second time in the same window it changes nothing.
insert into alert_firings (
  profile_id, alert_id, window_start_ms, threshold_percent, window_end_ms, used, allowed, user_id,
  fired_at_ms
) values (
  :profile_id, :alert_id, :window_start_ms, :threshold_percent, :window_end_ms, :used, :allowed,
  :user_id, :fired_at_ms
) on conflict do nothing;

-- name: alert_firings_forget!
-- Alerts, now and then: what was told long ago, a part of it at a time.
delete from alert_firings where (profile_id, alert_id, window_start_ms, threshold_percent) in (
  select profile_id, alert_id, window_start_ms, threshold_percent from alert_firings
  where fired_at_ms < :before_ms order by fired_at_ms limit :count);

-- name: alerts_any
-- Watcher, every second: whether there is anything to watch. One row.
select 1 from alerts limit 1;

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

-- name: charges_last_quarter
-- Watcher, at its first look at a workspace: when something was recorded last. By primary key.
select max(quarter) from charges where profile_id = :profile_id and quarter < :quarter;

-- name: alert_firings_known
-- Watcher: which thresholds were told of a window. By primary key.
select threshold_percent from alert_firings
where profile_id = :profile_id and alert_id = :alert_id and window_start_ms = :window_start_ms;

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

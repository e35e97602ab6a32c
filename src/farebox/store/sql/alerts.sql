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

-- name: charges_last_quarter
-- Watcher, at its first look at a workspace: when something was recorded last. By primary key.
select max(quarter) from charges where profile_id = :profile_id and quarter < :quarter;

-- name: alert_firings_known
-- Watcher: which thresholds were told of a window. By primary key.
select threshold_percent from alert_firings
where profile_id = :profile_id and alert_id = :alert_id and window_start_ms = :window_start_ms;

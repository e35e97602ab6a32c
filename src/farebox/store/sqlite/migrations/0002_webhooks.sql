-- What is told to others: endpoints, the outbox, alerts. Names and suffixes as in 0001.

-- Endpoints that events are sent to. The workspace 0 is the provider: its own get all events.
create table webhooks (
  profile_id integer not null check (profile_id >= 0),
  webhook_id text not null unique,
  url text not null check (length(url) between 1 and 2000),
  -- A JSON list; null for all.
  event_types text check (json_valid(event_types)),
  created_at_ms integer not null,
  disabled_at_ms integer,
  -- What was sent there is kept a while longer.
  deleted_at_ms integer,
  primary key (profile_id, webhook_id)
) strict, without rowid;

-- The outbox: written in the transaction of what it tells of.
create table webhook_messages (
  profile_id integer not null check (profile_id >= 0),
  message_id text not null,
  event_type text not null,
  payload text not null check (json_valid(payload)),
  at_ms integer not null,
  primary key (profile_id, message_id)
) strict, without rowid;

create index webhook_messages_at_ms on webhook_messages (at_ms);

-- A message and an endpoint. `at_ms` is the message's; `next_attempt_at_ms` is null at the end.
create table deliveries (
  profile_id integer not null,
  message_id text not null,
  webhook_id text not null,
  at_ms integer not null,
  attempts integer not null default 0 check (attempts >= 0),
  next_attempt_at_ms integer,
  last_attempt_at_ms integer,
  last_status integer,
  last_duration_ms integer check (last_duration_ms >= 0),
  last_error text,
  delivered_at_ms integer,
  gave_up_at_ms integer,
  primary key (profile_id, message_id, webhook_id),
  check ((next_attempt_at_ms is null) = (coalesce(delivered_at_ms, gave_up_at_ms) is not null))
) strict, without rowid;

create index deliveries_next on deliveries (next_attempt_at_ms)
  where next_attempt_at_ms is not null;
create index deliveries_due on deliveries (webhook_id, next_attempt_at_ms)
  where next_attempt_at_ms is not null;
create index deliveries_of_webhook on deliveries (webhook_id, at_ms, message_id);

create table alerts (
  profile_id integer not null references workspaces,
  alert_id text not null,
  kind text not null check (kind in ('credits', 'hour', 'day', 'month')),
  channel text check (channel in ('api', 'portal')),
  -- A JSON list of percents, ascending.
  thresholds text not null check (json_valid(thresholds)),
  created_at_ms integer not null,
  primary key (profile_id, alert_id),
  check ((kind = 'credits') = (channel is null))
) strict, without rowid;

-- Each threshold once a window. `used` and `allowed` are requests, or micro-credits for `credits`.
create table alert_firings (
  profile_id integer not null,
  alert_id text not null,
  window_start_ms integer not null,
  threshold_percent integer not null check (threshold_percent > 0),
  window_end_ms integer not null check (window_end_ms > window_start_ms),
  used integer not null,
  allowed integer not null,
  user_id text,
  fired_at_ms integer not null,
  primary key (profile_id, alert_id, window_start_ms, threshold_percent)
) strict, without rowid;

create index alert_firings_fired_at_ms on alert_firings (fired_at_ms);

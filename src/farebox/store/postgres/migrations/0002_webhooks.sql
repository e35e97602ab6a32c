-- What is told to others: endpoints, the outbox, alerts. Names and suffixes as in 0001.

-- Endpoints that events are sent to. The workspace 0 is the provider: its own get all events.
create table webhooks (
  profile_id bigint not null check (profile_id >= 0),
  webhook_id text collate "C" not null unique,
  url text collate "C" not null check (length(url) between 1 and 2000),
  -- A JSON list; null for all.
  event_types text collate "C" check (event_types is null or event_types::json is not null),
  created_at_ms bigint not null,
  disabled_at_ms bigint,
  -- What was sent there is kept a while longer.
  deleted_at_ms bigint,
  primary key (profile_id, webhook_id)
);

-- The outbox: written in the transaction of what it tells of.
create table webhook_messages (
  profile_id bigint not null check (profile_id >= 0),
  message_id text collate "C" not null,
  event_type text collate "C" not null,
  payload text collate "C" not null check (payload::json is not null),
  at_ms bigint not null,
  primary key (profile_id, message_id)
);

create index webhook_messages_at_ms on webhook_messages (at_ms);

-- A message and an endpoint. `at_ms` is the message's; `next_attempt_at_ms` is null at the end.
create table deliveries (
  profile_id bigint not null,
  message_id text collate "C" not null,
  webhook_id text collate "C" not null,
  at_ms bigint not null,
  attempts bigint not null default 0 check (attempts >= 0),
  next_attempt_at_ms bigint,
  last_attempt_at_ms bigint,
  last_status bigint,
  last_duration_ms bigint check (last_duration_ms >= 0),
  last_error text collate "C",
  delivered_at_ms bigint,
  gave_up_at_ms bigint,
  primary key (profile_id, message_id, webhook_id),
  check ((next_attempt_at_ms is null) = (coalesce(delivered_at_ms, gave_up_at_ms) is not null))
);

create index deliveries_next on deliveries (next_attempt_at_ms)
  where next_attempt_at_ms is not null;
create index deliveries_due on deliveries (webhook_id, next_attempt_at_ms)
  where next_attempt_at_ms is not null;
create index deliveries_of_webhook on deliveries (webhook_id, at_ms, message_id);

create table alerts (
  profile_id bigint not null references workspaces,
  alert_id text collate "C" not null,
  kind text collate "C" not null check (kind in ('credits', 'hour', 'day', 'month')),
  channel text collate "C" check (channel in ('api', 'portal')),
  -- A JSON list of percents, ascending.
  thresholds text collate "C" not null check (thresholds::json is not null),
  created_at_ms bigint not null,
  primary key (profile_id, alert_id),
  check ((kind = 'credits') = (channel is null))
);

-- Each threshold once a window. `used` and `allowed` are requests, or micro-credits for `credits`.
create table alert_firings (
  profile_id bigint not null,
  alert_id text collate "C" not null,
  window_start_ms bigint not null,
  threshold_percent bigint not null check (threshold_percent > 0),
  window_end_ms bigint not null check (window_end_ms > window_start_ms),
  used bigint not null,
  allowed bigint not null,
  user_id text collate "C",
  fired_at_ms bigint not null,
  primary key (profile_id, alert_id, window_start_ms, threshold_percent)
);

create index alert_firings_fired_at_ms on alert_firings (fired_at_ms);

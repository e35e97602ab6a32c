-- One word for one thing: the names here are those of Python, JSON and the pages.
-- Suffixes: _micro is micro-credits, _ms is UTC milliseconds. Every key leads with the workspace.
-- Numbers are bigint and texts in the order of their bytes, as in the other engine.
-- Tables that several nodes add to at once have a slot last in their key, the node's own: rows of
-- different nodes are different rows, and whoever reads sums them. Exclusive writers use slot 0.

-- Where the schema stands; one row, kept by the migrations.
create table schema_state (
  is_only bigint primary key check (is_only = 1),
  version bigint not null,
  -- The oldest program that may work with it, by the version that it knows.
  oldest bigint not null,
  finished bigint not null
);

insert into schema_state (is_only, version, oldest, finished) values (1, 0, 0, 0);

-- What was changed, by whom and when. Processes follow it to refresh what they keep in memory.
create table changes (
  change_id bigint primary key,
  at_ms bigint not null,
  actor text collate "C" not null,
  action text collate "C" not null,
  kind text collate "C" not null,
  ref text collate "C" not null,
  profile_id bigint,
  detail text collate "C" not null check (detail::json is not null)
);

create table idempotency_keys (
  actor text collate "C" not null,
  idempotency_key text collate "C" not null check (length(idempotency_key) between 1 and 255),
  fingerprint bytea not null,
  answer text collate "C" not null,
  at_ms bigint not null,
  primary key (actor, idempotency_key)
);

create table tokens (
  token_id text collate "C" primary key,
  name text collate "C" not null,
  scope text collate "C" not null check (scope in ('meter', 'admin')),
  digest bytea not null unique check (length(digest) = 32),
  created_at_ms bigint not null,
  revoked_at_ms bigint
);

create table log_types (
  log_type_id bigint primary key check (log_type_id > 0),
  slug text collate "C" not null unique
    check (slug <> '__unknown__' and length(slug) between 1 and 64),
  name text collate "C" not null check (length(name) between 1 and 200),
  method text collate "C" check (method = upper(method)),
  path text collate "C" check (path like '/%'),
  created_at_ms bigint not null,
  check ((method is null) or (path is not null))
);

create table log_type_prices (
  log_type_id bigint not null references log_types,
  valid_from_ms bigint not null,
  credits_micro bigint not null check (credits_micro >= 0),
  hold_micro bigint not null check (hold_micro >= 0),
  primary key (log_type_id, valid_from_ms)
);

create table plans (
  plan_id bigint primary key check (plan_id > 0),
  slug text collate "C" not null unique check (length(slug) between 1 and 64),
  name text collate "C" not null check (length(name) between 1 and 200),
  credits_per_month_micro bigint not null check (credits_per_month_micro >= 0),
  api_hour bigint check (api_hour >= 0),
  api_day bigint check (api_day >= 0),
  api_month bigint check (api_month >= 0),
  portal_hour bigint check (portal_hour >= 0),
  portal_day bigint check (portal_day >= 0),
  portal_month bigint check (portal_month >= 0),
  requests_per_minute bigint check (requests_per_minute >= 0),
  requests_per_second bigint check (requests_per_second >= 0),
  is_api_access_available bigint not null check (is_api_access_available in (0, 1)),
  is_quota_sharing_available bigint not null check (is_quota_sharing_available in (0, 1)),
  unmapped text collate "C" not null check (unmapped in ('allow', 'deny')),
  is_shadow bigint not null check (is_shadow in (0, 1)),
  created_at_ms bigint not null
);

create table plan_prices (
  plan_id bigint not null references plans,
  log_type_id bigint not null references log_types,
  valid_from_ms bigint not null,
  credits_micro bigint not null check (credits_micro >= 0),
  primary key (plan_id, log_type_id, valid_from_ms)
);

create table workspaces (
  profile_id bigint primary key check (profile_id > 0),
  uid text collate "C" not null unique check (length(uid) = 36),
  name text collate "C" not null check (length(name) between 1 and 55),
  description text collate "C" not null,
  plan_id bigint not null references plans,
  next_plan_id bigint references plans,
  timezone text collate "C" not null,
  -- What reports read; an older version than the last while the days of a new zone are being built.
  zone_version bigint not null check (zone_version > 0),
  licences bigint not null check (licences > 0),
  is_quota_sharing_enabled bigint not null check (is_quota_sharing_enabled in (0, 1)),
  anchor_day bigint not null check (anchor_day between 1 and 31),
  status text collate "C" not null check (status in ('active', 'suspended')),
  is_auto_top_up_credits_enabled bigint not null check (is_auto_top_up_credits_enabled in (0, 1)),
  auto_top_up_credit_micro bigint check (auto_top_up_credit_micro > 0),
  auto_top_up_balance_fall_below_micro bigint check (auto_top_up_balance_fall_below_micro > 0),
  is_auto_top_up_granted bigint not null check (is_auto_top_up_granted in (0, 1)),
  created_at_ms bigint not null,
  -- When something ends by itself, a period or a grant: then, or later.
  due_ms bigint not null default 0,
  -- What links and dashboard sessions carry; with another one here all of them have ended.
  session_epoch text collate "C" not null default '',
  check (is_auto_top_up_credits_enabled = 0 or (
    auto_top_up_credit_micro is not null and auto_top_up_balance_fall_below_micro is not null))
);

create index workspaces_due_ms on workspaces (due_ms);

-- The plans of a workspace through time: what was valid at a request's time.
create table workspace_plans (
  profile_id bigint not null references workspaces,
  from_ms bigint not null,
  plan_id bigint not null references plans,
  primary key (profile_id, from_ms)
);

-- The zones of a workspace through time. `built_quarter` is the first quarter not yet summed into
-- the days of this version; null when they are complete.
create table workspace_zones (
  profile_id bigint not null references workspaces,
  zone_version bigint not null,
  from_ms bigint not null,
  timezone text collate "C" not null,
  built_quarter bigint,
  primary key (profile_id, zone_version)
);

create index workspace_zones_building on workspace_zones (profile_id)
  where built_quarter is not null;

create table users (
  user_id text collate "C" primary key check (length(user_id) = 36),
  profile_id bigint not null references workspaces,
  nickname text collate "C" not null check (length(nickname) between 1 and 100),
  email text collate "C" not null check (length(email) between 3 and 254),
  is_owner bigint not null check (is_owner in (0, 1)),
  created_at_ms bigint not null,
  unique (profile_id, email)
);

create unique index users_owner on users (profile_id) where is_owner = 1;

create table keys (
  key_id text collate "C" primary key,
  profile_id bigint not null references workspaces,
  user_id text collate "C" not null references users,
  name text collate "C" not null check (length(name) <= 100),
  digest bytea not null unique check (length(digest) = 32),
  masked_authentication text collate "C" not null check (length(masked_authentication) = 20),
  channel text collate "C" not null check (channel in ('api', 'portal')),
  created_at_ms bigint not null,
  expires_at_ms bigint,
  revoked_at_ms bigint,
  rotated_from text collate "C" references keys,
  -- The first key of its rotations; the keys of a family have one cap.
  family_id text collate "C" not null references keys,
  -- A JSON list of CIDR ranges; null is any.
  ip_ranges text collate "C" check (ip_ranges is null or ip_ranges::json is not null),
  credits_cap_micro bigint check (credits_cap_micro >= 0)
);

create index keys_profile_id on keys (profile_id, created_at_ms);
create index keys_family_id on keys (profile_id, family_id);

-- What a key may call; a key that isn't here may call every log type.
create table key_log_types (
  profile_id bigint not null,
  key_id text collate "C" not null references keys,
  log_type_id bigint not null references log_types,
  primary key (profile_id, key_id, log_type_id)
);

-- One row a committed batch of requests or of movements of credits.
create table commits (
  commit_id bigint primary key,
  at_ms bigint not null
);

create index commits_at_ms on commits (at_ms);

-- What was recorded, by the minute of its commit, for a day or two: nothing is charged from it.
create table ingest_minutes (
  minute bigint not null,
  requests bigint not null check (requests > 0),
  credits_micro bigint not null check (credits_micro >= 0),
  slot smallint not null default 0,
  primary key (minute, slot)
) with (fillfactor = 50);

-- Every request's identity, apart from the log, so that it can outlive the log's rows.
create table identities (
  profile_id bigint not null,
  identity bytea not null check (length(identity) between 1 and 81),
  content bytea not null check (length(content) = 16),
  primary key (profile_id, identity)
);

-- The log. query_log_id is a UUIDv7 of the request's time: the table lies in the order of time, and
-- a partition holds a calendar month (see make_month).
create table requests (
  profile_id bigint not null,
  query_log_id bytea not null check (length(query_log_id) = 16),
  commit_id bigint not null,
  time_ms bigint not null check (time_ms >= 0),
  key_id text collate "C" not null,
  log_type_id bigint not null check (log_type_id >= 0),
  channel text collate "C" not null check (channel in ('api', 'portal', 'self')),
  credits_micro bigint not null check (credits_micro between 0 and 1000000000000000),
  method text collate "C",
  path text collate "C",
  status_code bigint check (status_code between 100 and 599),
  duration_ms bigint check (duration_ms >= 0),
  response_size bigint check (response_size >= 0),
  ip text collate "C",
  authentication_type text collate "C",
  primary key (profile_id, query_log_id)
) partition by range (query_log_id);

create table captures (
  profile_id bigint not null,
  query_log_id bytea not null,
  request_headers text collate "C" not null,
  request_body text collate "C" not null,
  response_body text collate "C" not null,
  primary key (profile_id, query_log_id)
) partition by range (query_log_id);

-- Rollups. Quarters are the base; the others follow from them.
create table quarters (
  profile_id bigint not null,
  quarter bigint not null,
  key_id text collate "C" not null,
  log_type_id bigint not null,
  channel text collate "C" not null,
  requests bigint not null check (requests > 0),
  credits_micro bigint not null check (credits_micro >= 0),
  last_ms bigint not null,
  slot smallint not null default 0,
  primary key (profile_id, quarter, key_id, log_type_id, channel, slot)
) with (fillfactor = 80);

create table days (
  profile_id bigint not null,
  zone_version bigint not null,
  day bigint not null,
  log_type_id bigint not null,
  key_id text collate "C" not null,
  requests bigint not null check (requests > 0),
  credits_micro bigint not null check (credits_micro >= 0),
  last_ms bigint not null,
  slot smallint not null default 0,
  primary key (profile_id, zone_version, day, log_type_id, key_id, slot)
) with (fillfactor = 80);

create table day_log_types (
  profile_id bigint not null,
  zone_version bigint not null,
  day bigint not null,
  log_type_id bigint not null,
  requests bigint not null check (requests > 0),
  credits_micro bigint not null check (credits_micro >= 0),
  last_ms bigint not null,
  slot smallint not null default 0,
  primary key (profile_id, zone_version, day, log_type_id, slot)
) with (fillfactor = 80);

create table day_keys (
  profile_id bigint not null,
  zone_version bigint not null,
  day bigint not null,
  key_id text collate "C" not null,
  channel text collate "C" not null,
  requests bigint not null check (requests > 0),
  credits_micro bigint not null check (credits_micro >= 0),
  last_ms bigint not null,
  slot smallint not null default 0,
  primary key (profile_id, zone_version, day, key_id, channel, slot)
) with (fillfactor = 80);

-- The ledger.
create table grants (
  profile_id bigint not null references workspaces,
  grant_id bigint not null,
  kind text collate "C" not null check (kind in ('plan', 'topup', 'promotion', 'correction')),
  credits_micro bigint not null check (credits_micro > 0),
  priority bigint not null,
  created_at_ms bigint not null,
  expires_at_ms bigint,
  primary key (profile_id, grant_id)
);

create index grants_expires_at_ms on grants (expires_at_ms) where expires_at_ms is not null;

create table transfers (
  profile_id bigint not null,
  ordinal bigint not null,
  commit_id bigint not null,
  at_ms bigint not null,
  kind text collate "C" not null check (
    kind in ('grant', 'charge', 'history', 'expiry', 'repay', 'correction', 'draw', 'return')),
  debit_account text collate "C" not null,
  credit_account text collate "C" not null check (credit_account <> debit_account),
  amount_micro bigint not null check (amount_micro > 0),
  primary key (profile_id, commit_id, ordinal)
);

-- What a statement lists one by one; charges are many, and summed in `charges`.
create index transfers_listed on transfers (profile_id, at_ms)
  where kind in ('grant', 'expiry', 'correction');

-- The ledger in the order of time, which commits of several nodes aren't in.
create index transfers_at_ms on transfers (profile_id, at_ms, commit_id, ordinal);

-- A projection of the transfers: a balance is credits minus debits, over all slots. What is drawn
-- may be below zero in one slot; the audit holds the sum.
create table accounts (
  profile_id bigint not null,
  account text collate "C" not null,
  debits_micro bigint not null check (debits_micro >= 0),
  credits_micro bigint not null check (credits_micro >= 0),
  slot smallint not null default 0,
  primary key (profile_id, account, slot),
  check (account not like 'grant:%' or credits_micro >= debits_micro),
  check (account <> 'overdraft' or credits_micro <= debits_micro)
) with (
  fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);

create table corrections (
  profile_id bigint not null,
  correction_id bigint not null,
  query_log_id bytea not null check (length(query_log_id) = 16),
  credits_micro bigint not null check (credits_micro <> 0),
  reason text collate "C" not null check (length(reason) between 1 and 500),
  at_ms bigint not null,
  commit_id bigint not null,
  primary key (profile_id, correction_id)
);

create index corrections_at_ms on corrections (profile_id, at_ms);

-- Charges by the quarter hour of their commit: the ledger's clock, for statements.
create table charges (
  profile_id bigint not null,
  quarter bigint not null,
  log_type_id bigint not null,
  is_history bigint not null check (is_history in (0, 1)),
  requests bigint not null check (requests > 0),
  credits_micro bigint not null check (credits_micro >= 0),
  slot smallint not null default 0,
  primary key (profile_id, quarter, log_type_id, is_history, slot)
) with (fillfactor = 80);

-- Billing periods, stored as instants when they open; what moved in them is in period_sums.
create table periods (
  profile_id bigint not null references workspaces,
  start_ms bigint not null,
  end_ms bigint not null check (end_ms > start_ms),
  plan_id bigint not null references plans,
  -- What the plan has given in it; a better plan in mid-period gives the rest only.
  plan_micro bigint not null check (plan_micro >= 0),
  opening_micro bigint not null,
  primary key (profile_id, start_ms)
);

create index periods_end_ms on periods (end_ms);

create table period_sums (
  profile_id bigint not null,
  start_ms bigint not null,
  slot smallint not null default 0,
  granted_micro bigint not null default 0,
  expired_micro bigint not null default 0,
  charged_micro bigint not null default 0,
  corrected_micro bigint not null default 0,
  primary key (profile_id, start_ms, slot)
) with (fillfactor = 60);

create table audits (
  audit_id bigint generated by default as identity primary key,
  started_at_ms bigint not null,
  ended_at_ms bigint not null,
  requests bigint not null,
  differences bigint not null check (differences >= 0),
  detail text collate "C" not null check (detail::json is not null)
);

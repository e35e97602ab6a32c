-- One word for one thing: the names here are those of Python, JSON and the pages.
-- Suffixes: _micro is micro-credits, _ms is UTC milliseconds. Every key leads with the workspace.

-- Where the schema stands; one row, kept by the migrations.
create table schema_state (
  is_only integer primary key check (is_only = 1),
  version integer not null,
  -- The oldest program that may work with it, by the version that it knows.
  oldest integer not null,
  finished integer not null
) strict;

insert into schema_state (is_only, version, oldest, finished) values (1, 0, 0, 0);

-- What was changed, by whom and when. Processes follow it to refresh what they keep in memory.
create table changes (
  change_id integer primary key,
  at_ms integer not null,
  actor text not null,
  action text not null,
  kind text not null,
  ref text not null,
  profile_id integer,
  detail text not null check (json_valid(detail))
) strict;

create table idempotency_keys (
  actor text not null,
  idempotency_key text not null check (length(idempotency_key) between 1 and 255),
  fingerprint blob not null,
  answer text not null,
  at_ms integer not null,
  primary key (actor, idempotency_key)
) strict, without rowid;

create table tokens (
  token_id text primary key,
  name text not null,
  scope text not null check (scope in ('meter', 'admin')),
  digest blob not null unique check (length(digest) = 32),
  created_at_ms integer not null,
  revoked_at_ms integer
) strict, without rowid;

create table log_types (
  log_type_id integer primary key check (log_type_id > 0),
  slug text not null unique check (slug <> '__unknown__' and length(slug) between 1 and 64),
  name text not null check (length(name) between 1 and 200),
  method text check (method = upper(method)),
  path text check (path like '/%'),
  created_at_ms integer not null,
  check ((method is null) or (path is not null))
) strict;

create table log_type_prices (
  log_type_id integer not null references log_types,
  valid_from_ms integer not null,
  credits_micro integer not null check (credits_micro >= 0),
  hold_micro integer not null check (hold_micro >= 0),
  primary key (log_type_id, valid_from_ms)
) strict, without rowid;

create table plans (
  plan_id integer primary key check (plan_id > 0),
  slug text not null unique check (length(slug) between 1 and 64),
  name text not null check (length(name) between 1 and 200),
  credits_per_month_micro integer not null check (credits_per_month_micro >= 0),
  api_hour integer check (api_hour >= 0),
  api_day integer check (api_day >= 0),
  api_month integer check (api_month >= 0),
  portal_hour integer check (portal_hour >= 0),
  portal_day integer check (portal_day >= 0),
  portal_month integer check (portal_month >= 0),
  requests_per_minute integer check (requests_per_minute >= 0),
  requests_per_second integer check (requests_per_second >= 0),
  is_api_access_available integer not null check (is_api_access_available in (0, 1)),
  is_quota_sharing_available integer not null check (is_quota_sharing_available in (0, 1)),
  unmapped text not null check (unmapped in ('allow', 'deny')),
  is_shadow integer not null check (is_shadow in (0, 1)),
  created_at_ms integer not null
) strict;

create table plan_prices (
  plan_id integer not null references plans,
  log_type_id integer not null references log_types,
  valid_from_ms integer not null,
  credits_micro integer not null check (credits_micro >= 0),
  primary key (plan_id, log_type_id, valid_from_ms)
) strict, without rowid;

create table workspaces (
  profile_id integer primary key check (profile_id > 0),
  uid text not null unique check (length(uid) = 36),
  name text not null check (length(name) between 1 and 55),
  description text not null,
  plan_id integer not null references plans,
  next_plan_id integer references plans,
  timezone text not null,
  -- What reports read; an older version than the last while the days of a new zone are being built.
  zone_version integer not null check (zone_version > 0),
  licences integer not null check (licences > 0),
  is_quota_sharing_enabled integer not null check (is_quota_sharing_enabled in (0, 1)),
  anchor_day integer not null check (anchor_day between 1 and 31),
  status text not null check (status in ('active', 'suspended')),
  is_auto_top_up_credits_enabled integer not null check (is_auto_top_up_credits_enabled in (0, 1)),
  auto_top_up_credit_micro integer check (auto_top_up_credit_micro > 0),
  auto_top_up_balance_fall_below_micro integer check (auto_top_up_balance_fall_below_micro > 0),
  is_auto_top_up_granted integer not null check (is_auto_top_up_granted in (0, 1)),
  created_at_ms integer not null,
  -- When something ends by itself, a period or a grant: then, or later.
  due_ms integer not null default 0,
  -- What links and dashboard sessions carry; with another one here all of them have ended.
  session_epoch text not null default '',
  check (is_auto_top_up_credits_enabled = 0 or (
    auto_top_up_credit_micro is not null and auto_top_up_balance_fall_below_micro is not null))
) strict;

create index workspaces_due_ms on workspaces (due_ms);

-- The plans of a workspace through time: what was valid at a request's time.
create table workspace_plans (
  profile_id integer not null references workspaces,
  from_ms integer not null,
  plan_id integer not null references plans,
  primary key (profile_id, from_ms)
) strict, without rowid;

-- The zones of a workspace through time. `built_quarter` is the first quarter not yet summed into
-- the days of this version; null when they are complete.
create table workspace_zones (
  profile_id integer not null references workspaces,
  zone_version integer not null,
  from_ms integer not null,
  timezone text not null,
  built_quarter integer,
  primary key (profile_id, zone_version)
) strict, without rowid;

create index workspace_zones_building on workspace_zones (profile_id)
  where built_quarter is not null;

create table users (
  user_id text primary key check (length(user_id) = 36),
  profile_id integer not null references workspaces,
  nickname text not null check (length(nickname) between 1 and 100),
  email text not null check (length(email) between 3 and 254),
  is_owner integer not null check (is_owner in (0, 1)),
  created_at_ms integer not null,
  unique (profile_id, email)
) strict, without rowid;

create unique index users_owner on users (profile_id) where is_owner = 1;

create table keys (
  key_id text primary key,
  profile_id integer not null references workspaces,
  user_id text not null references users,
  name text not null check (length(name) <= 100),
  digest blob not null unique check (length(digest) = 32),
  masked_authentication text not null check (length(masked_authentication) = 20),
  channel text not null check (channel in ('api', 'portal')),
  created_at_ms integer not null,
  expires_at_ms integer,
  revoked_at_ms integer,
  rotated_from text references keys,
  -- The first key of its rotations; the keys of a family have one cap.
  family_id text not null references keys,
  -- A JSON list of CIDR ranges; null is any.
  ip_ranges text check (json_valid(ip_ranges)),
  credits_cap_micro integer check (credits_cap_micro >= 0)
) strict, without rowid;

create index keys_profile_id on keys (profile_id, created_at_ms);
create index keys_family_id on keys (profile_id, family_id);

-- What a key may call; a key that isn't here may call every log type.
create table key_log_types (
  profile_id integer not null,
  key_id text not null references keys,
  log_type_id integer not null references log_types,
  primary key (profile_id, key_id, log_type_id)
) strict, without rowid;

-- One row a committed batch of requests or of movements of credits.
create table commits (
  commit_id integer primary key,
  at_ms integer not null
) strict;

-- What was recorded, by the minute of its commit, for a day or two: nothing is charged from it.
create table ingest_minutes (
  minute integer primary key,
  requests integer not null check (requests > 0),
  credits_micro integer not null check (credits_micro >= 0)
) strict;

-- Every request's identity, apart from the log, so that it can outlive the log's rows.
create table identities (
  profile_id integer not null,
  identity blob not null check (length(identity) between 1 and 81),
  content blob not null check (length(content) = 16),
  primary key (profile_id, identity)
) strict, without rowid;

-- The log. query_log_id is a UUIDv7 of the request's time: the table lies in the order of time.
create table requests (
  profile_id integer not null,
  query_log_id blob not null check (length(query_log_id) = 16),
  commit_id integer not null,
  time_ms integer not null check (time_ms >= 0),
  key_id text not null,
  log_type_id integer not null check (log_type_id >= 0),
  channel text not null check (channel in ('api', 'portal', 'self')),
  credits_micro integer not null check (credits_micro between 0 and 1000000000000000),
  method text,
  path text,
  status_code integer check (status_code between 100 and 599),
  duration_ms integer check (duration_ms >= 0),
  response_size integer check (response_size >= 0),
  ip text,
  authentication_type text,
  primary key (profile_id, query_log_id)
) strict, without rowid;

create table captures (
  profile_id integer not null,
  query_log_id blob not null,
  request_headers text not null,
  request_body text not null,
  response_body text not null,
  primary key (profile_id, query_log_id)
) strict, without rowid;

-- Rollups. Quarters are the base; the others follow from them.
create table quarters (
  profile_id integer not null,
  quarter integer not null,
  key_id text not null,
  log_type_id integer not null,
  channel text not null,
  requests integer not null check (requests > 0),
  credits_micro integer not null check (credits_micro >= 0),
  last_ms integer not null,
  primary key (profile_id, quarter, key_id, log_type_id, channel)
) strict, without rowid;

create table days (
  profile_id integer not null,
  zone_version integer not null,
  day integer not null,
  log_type_id integer not null,
  key_id text not null,
  requests integer not null check (requests > 0),
  credits_micro integer not null check (credits_micro >= 0),
  last_ms integer not null,
  primary key (profile_id, zone_version, day, log_type_id, key_id)
) strict, without rowid;

create table day_log_types (
  profile_id integer not null,
  zone_version integer not null,
  day integer not null,
  log_type_id integer not null,
  requests integer not null check (requests > 0),
  credits_micro integer not null check (credits_micro >= 0),
  last_ms integer not null,
  primary key (profile_id, zone_version, day, log_type_id)
) strict, without rowid;

create table day_keys (
  profile_id integer not null,
  zone_version integer not null,
  day integer not null,
  key_id text not null,
  channel text not null,
  requests integer not null check (requests > 0),
  credits_micro integer not null check (credits_micro >= 0),
  last_ms integer not null,
  primary key (profile_id, zone_version, day, key_id, channel)
) strict, without rowid;

-- The ledger.
create table grants (
  profile_id integer not null references workspaces,
  grant_id integer not null,
  kind text not null check (kind in ('plan', 'topup', 'promotion', 'correction')),
  credits_micro integer not null check (credits_micro > 0),
  priority integer not null,
  created_at_ms integer not null,
  expires_at_ms integer,
  primary key (profile_id, grant_id)
) strict, without rowid;

create table transfers (
  profile_id integer not null,
  ordinal integer not null,
  commit_id integer not null,
  at_ms integer not null,
  kind text not null check (
    kind in ('grant', 'charge', 'history', 'expiry', 'repay', 'correction', 'draw', 'return')),
  debit_account text not null,
  credit_account text not null check (credit_account <> debit_account),
  amount_micro integer not null check (amount_micro > 0),
  primary key (profile_id, commit_id, ordinal)
) strict, without rowid;

-- What a statement lists one by one; charges are many, and summed in `charges`.
create index transfers_listed on transfers (profile_id, at_ms)
  where kind in ('grant', 'expiry', 'correction');

-- A projection of the transfers: a balance is credits minus debits.
create table accounts (
  profile_id integer not null,
  account text not null,
  debits_micro integer not null check (debits_micro >= 0),
  credits_micro integer not null check (credits_micro >= 0),
  primary key (profile_id, account),
  check (account not like 'grant:%' or credits_micro >= debits_micro),
  check (account not like 'drawn:%' or credits_micro >= debits_micro),
  check (account <> 'overdraft' or credits_micro <= debits_micro)
) strict, without rowid;

create table corrections (
  profile_id integer not null,
  correction_id integer not null,
  query_log_id blob not null check (length(query_log_id) = 16),
  credits_micro integer not null check (credits_micro <> 0),
  reason text not null check (length(reason) between 1 and 500),
  at_ms integer not null,
  commit_id integer not null,
  primary key (profile_id, correction_id)
) strict, without rowid;

create index corrections_at_ms on corrections (profile_id, at_ms);

-- Charges by the quarter hour of their commit: the ledger's clock, for statements.
create table charges (
  profile_id integer not null,
  quarter integer not null,
  log_type_id integer not null,
  is_history integer not null check (is_history in (0, 1)),
  requests integer not null check (requests > 0),
  credits_micro integer not null check (credits_micro >= 0),
  primary key (profile_id, quarter, log_type_id, is_history)
) strict, without rowid;

-- Billing periods, stored as instants when they open, with what moved in them.
create table periods (
  profile_id integer not null references workspaces,
  start_ms integer not null,
  end_ms integer not null check (end_ms > start_ms),
  plan_id integer not null references plans,
  -- What the plan has given in it; a better plan in mid-period gives the rest only.
  plan_micro integer not null check (plan_micro >= 0),
  opening_micro integer not null,
  granted_micro integer not null default 0,
  expired_micro integer not null default 0,
  charged_micro integer not null default 0,
  corrected_micro integer not null default 0,
  primary key (profile_id, start_ms)
) strict, without rowid;

create table audits (
  audit_id integer primary key,
  started_at_ms integer not null,
  ended_at_ms integer not null,
  requests integer not null,
  differences integer not null check (differences >= 0),
  detail text not null check (json_valid(detail))
) strict;

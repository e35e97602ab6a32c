-- Refused calls. Names and suffixes as in 0001.

-- Refused calls, which are no requests: how many, by the quarter hour. Workspace 0 is nobody's.
create table refusals (
  profile_id bigint not null,
  quarter bigint not null,
  key_id text collate "C" not null,
  denied_by text collate "C" not null,
  is_shadow bigint not null check (is_shadow in (0, 1)),
  refusals bigint not null check (refusals > 0),
  last_ms bigint not null,
  slot smallint not null default 0,
  primary key (profile_id, quarter, key_id, denied_by, is_shadow, slot)
) with (fillfactor = 80);

-- The newest of each workspace, explained.
create table refusal_log (
  profile_id bigint not null,
  refusal_id bigint not null,
  time_ms bigint not null,
  key_id text collate "C" not null,
  status bigint not null check (status between 400 and 599),
  code bigint not null,
  denied_by text collate "C" not null,
  log_type_id bigint not null,
  channel text collate "C" not null,
  method text collate "C",
  path text collate "C",
  ip text collate "C",
  limits text collate "C" not null check (limits::json is not null),
  retry_at_ms bigint,
  is_shadow bigint not null check (is_shadow in (0, 1)),
  primary key (profile_id, refusal_id)
);

create unique index refusal_log_refusal_id on refusal_log (refusal_id);
create index refusal_log_denied_by on refusal_log (denied_by, refusal_id);

-- Who tells of refusals, and the last batch that was counted: a repeat counts nothing twice.
create table refusal_sources (
  source text collate "C" primary key,
  sequence bigint not null,
  at_ms bigint not null
);

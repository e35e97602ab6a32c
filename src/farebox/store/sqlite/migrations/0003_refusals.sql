-- Refused calls. Names and suffixes as in 0001.

-- Refused calls, which are no requests: how many, by the quarter hour. Workspace 0 is nobody's.
create table refusals (
  profile_id integer not null,
  quarter integer not null,
  key_id text not null,
  denied_by text not null,
  is_shadow integer not null check (is_shadow in (0, 1)),
  refusals integer not null check (refusals > 0),
  last_ms integer not null,
  primary key (profile_id, quarter, key_id, denied_by, is_shadow)
) strict, without rowid;

-- The newest of each workspace, explained.
create table refusal_log (
  profile_id integer not null,
  refusal_id integer not null,
  time_ms integer not null,
  key_id text not null,
  status integer not null check (status between 400 and 599),
  code integer not null,
  denied_by text not null,
  log_type_id integer not null,
  channel text not null,
  method text,
  path text,
  ip text,
  limits text not null check (json_valid(limits)),
  retry_at_ms integer,
  is_shadow integer not null check (is_shadow in (0, 1)),
  primary key (profile_id, refusal_id)
) strict, without rowid;

create unique index refusal_log_refusal_id on refusal_log (refusal_id);
create index refusal_log_denied_by on refusal_log (denied_by, refusal_id);

-- Who tells of refusals, and the last batch that was counted: a repeat counts nothing twice.
create table refusal_sources (
  source text primary key,
  sequence integer not null,
  at_ms integer not null
) strict, without rowid;

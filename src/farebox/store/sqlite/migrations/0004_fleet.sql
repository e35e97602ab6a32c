-- What several processes on one database share. Names and suffixes as in 0001.

-- The recorders that have the database open. One that no longer renews is ended by another, which
-- adopts its leases.
create table nodes (
  node_id integer primary key,
  entered_at_ms integer not null,
  renewals integer not null,
  now_ms integer not null
) strict;

-- What processes have drawn beforehand, to admit by. A lease is one process's, until it ends or
-- falls silent; then what it had drawn of credits is held for `hold_ms`, the longest reservation.
create table leases (
  lease_id integer primary key,
  node_id integer not null,
  opened_at_ms integer not null,
  hold_ms integer not null check (hold_ms >= 0),
  ended_at_ms integer,
  -- Whether its process has told what it has left of it.
  is_parted integer not null check (is_parted in (0, 1))
) strict;

create index leases_node_id on leases (node_id);

-- Units that are drawn and not used yet. `scope` is a user, a family of keys or a grant; empty for
-- the whole workspace. A window of a second or a minute counts here alone: its units stay.
create table draws (
  profile_id integer not null,
  lease_id integer not null references leases,
  lot_id integer not null,
  name text not null
    check (name in ('second', 'minute', 'hour', 'day', 'month', 'key_credits', 'credits')),
  scope text not null,
  channel text not null check (channel in ('', 'api', 'portal')),
  start_ms integer not null,
  -- Of what doesn't end by itself: null.
  end_ms integer check (end_ms > start_ms),
  units integer not null check (units >= 0),
  primary key (profile_id, lease_id, lot_id)
) strict, without rowid;

create index draws_lease_id on draws (lease_id);

-- Reservations that were ended by another process than the one that holds them, until that one has
-- heard it. `taken_micro` is what was taken of the credits that they held; below 0 none.
create table ends_elsewhere (
  profile_id integer not null,
  identity blob not null,
  lease_id integer not null,
  number integer not null,
  taken_micro integer not null,
  primary key (profile_id, identity)
) strict, without rowid;

create index ends_elsewhere_lease_id on ends_elsewhere (lease_id);

-- Workspaces that somebody has run short in while others had drawn of the same limit.
create table recalls (
  profile_id integer primary key,
  at_ms integer not null
) strict;

-- What the reservations of other nodes' processes hold of credits: empty where there are none.
create table node_holdings (
  node_id integer not null references nodes on delete cascade,
  profile_id integer not null,
  held_micro integer not null check (held_micro > 0),
  primary key (node_id, profile_id)
) strict, without rowid;

-- What one of them does for all: whose it is, and until when.
create table duties (
  name text primary key,
  holder text not null,
  until_ms integer not null
) strict, without rowid;

-- The customers' own calls, which a limit of their own counts by the minute.
create index requests_self on requests (profile_id, query_log_id) where channel = 'self';

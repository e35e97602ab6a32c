-- What nodes draw, and what a fleet needs beside. Names and suffixes as in 0001.

-- Who writes. A node that doesn't renew for a while is ended by another.
create table nodes (
  node_id bigint primary key,
  slot smallint unique,
  entered_at_ms bigint not null,
  renewals bigint not null,
  now_ms bigint not null
) with (fillfactor = 20, autovacuum_vacuum_threshold = 100, autovacuum_vacuum_scale_factor = 0);

-- What processes have drawn beforehand, to admit by. A lease is one process's, until it ends or
-- falls silent; then what it had drawn of credits is held for `hold_ms`, the longest reservation.
create table leases (
  lease_id bigint primary key,
  opened_at_ms bigint not null,
  hold_ms bigint not null check (hold_ms >= 0),
  ended_at_ms bigint,
  -- Whose it is; another node adopts it when that one falls silent.
  node_id bigint,
  -- Whether its process has told what it has left of it.
  is_parted bigint not null default 0 check (is_parted in (0, 1))
);

create index leases_node_id on leases (node_id);

-- Units that are drawn and not used yet. `scope` is a user, a family of keys or a grant; empty for
-- the whole workspace. A window of a second or a minute counts here alone: its units stay.
create table draws (
  profile_id bigint not null,
  lease_id bigint not null references leases,
  lot_id bigint not null,
  name text collate "C" not null
    check (name in ('second', 'minute', 'hour', 'day', 'month', 'key_credits', 'credits')),
  scope text collate "C" not null,
  channel text collate "C" not null check (channel in ('', 'api', 'portal')),
  start_ms bigint not null,
  -- Of what doesn't end by itself: null.
  end_ms bigint check (end_ms > start_ms),
  units bigint not null check (units >= 0),
  primary key (profile_id, lease_id, lot_id)
) with (
  fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);

create index draws_lease_id on draws (lease_id);

-- Reservations that were ended by another process than the one that holds them, until that one has
-- heard it. `taken_micro` is what was taken of the credits that they held; below 0 none.
create table ends_elsewhere (
  profile_id bigint not null,
  identity bytea not null,
  lease_id bigint not null,
  number bigint not null,
  taken_micro bigint not null,
  primary key (profile_id, identity)
);

create index ends_elsewhere_lease_id on ends_elsewhere (lease_id);

-- Workspaces of which drawn units are wanted back, and since when.
create table recalls (
  profile_id bigint primary key,
  at_ms bigint not null
) with (autovacuum_vacuum_threshold = 100, autovacuum_vacuum_scale_factor = 0);

-- What the reservations of a node's processes hold of credits. Nothing is decided by it, it is told
-- to callers; after a crash of the server every recorder is a new node, and tells it anew.
create unlogged table node_holdings (
  node_id bigint not null references nodes on delete cascade,
  profile_id bigint not null,
  held_micro bigint not null check (held_micro > 0),
  primary key (node_id, profile_id)
) with (
  fillfactor = 60, autovacuum_vacuum_threshold = 100, autovacuum_vacuum_scale_factor = 0.02);

-- A connection takes ids by the block: one number of the sequence is the first of 1,000 ids.
create sequence commit_ids as bigint increment by 1000;

-- The id of the next change. Its lock is held until the commit, so that ids come into sight in
-- order; what runs in here sees all that was committed before.
create function next_change_id() returns bigint language plpgsql volatile as $$
begin
  perform pg_advisory_xact_lock(-2);
  return (select coalesce(max(change_id), 0) + 1 from changes);
end
$$;

alter table changes alter column change_id set default next_change_id();

-- The second wall. With `farebox.profile_id` set, a transaction sees the rows of that workspace
-- alone; unset or empty, as with the recorder and the operator, it sees all. Nobody writes behind
-- it, so that new rows aren't checked: that would cost the recorder a tenth.
create function visible_profile_id() returns bigint language sql stable parallel safe as $$
  select nullif(current_setting('farebox.profile_id', true), '')::bigint
$$;

-- Puts the wall around every table of workspaces that lacks it; every migration that makes one
-- calls it.
create function wall_workspaces() returns void language plpgsql as $$
declare
  found text;
begin
  for found in
    select c.oid::regclass::text from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'profile_id' and not a.attisdropped
    where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
      and not (c.relrowsecurity and c.relforcerowsecurity)
  loop
    execute format('alter table %s enable row level security, force row level security', found);
    execute format(
      'create policy one_workspace on %s using '
      || '((select visible_profile_id()) is null or profile_id = (select visible_profile_id())) '
      || 'with check (true)',
      found);
  end loop;
end
$$;

-- Makes the partition of a month, unless it is there. It is filled with its keys and walls before
-- it is attached, which keeps nobody from reading or writing.
create function make_month(log text, first_ms bigint) returns void language plpgsql as $$
declare
  month timestamp := date_trunc('month', to_timestamp(first_ms / 1000.0) at time zone 'UTC');
  partition text := log || to_char(month, '_YYYY_MM');
  bounds text[] := array(
    select decode(lpad(to_hex((extract(epoch from edge) * 1000)::bigint), 12, '0')
      || repeat('0', 20), 'hex')::text
    from unnest(array[month, month + interval '1 month']) as edge);
begin
  perform pg_advisory_xact_lock(-3);
  if to_regclass(partition) is not null then
    return;
  end if;
  execute format('create table %I (like %I including all)', partition, log);
  perform wall_workspaces();
  execute format('alter table %I attach partition %I for values from (%L) to (%L)',
    log, partition, bounds[1], bounds[2]);
end
$$;

select wall_workspaces();

-- What one process does for all: whose it is, and until when.
create table duties (
  name text collate "C" primary key,
  holder text collate "C" not null,
  until_ms bigint not null
) with (autovacuum_vacuum_threshold = 100, autovacuum_vacuum_scale_factor = 0);

-- The customers' own calls, which a limit of their own counts by the minute.
create index requests_self on requests (profile_id, query_log_id) where channel = 'self';

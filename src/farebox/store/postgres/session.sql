-- Statements of this engine alone: sessions, locks, numbers of commits.

-- name: session_facts
-- Connections, when they are opened: what the server promises.
select
  pg_is_in_recovery()::int::bigint as is_in_recovery,
  (current_setting('transaction_read_only') = 'on')::int::bigint as is_read_only,
  current_setting('synchronous_commit') as synchronous_commit,
  current_setting('fsync') as fsync,
  current_setting('full_page_writes') as full_page_writes,
  current_setting('server_encoding') as encoding,
  (select rolsuper or rolbypassrls from pg_roles where rolname = current_user)::int::bigint
    as passes_walls;

-- name: session_set
-- Connections, when they are opened: settings of the session.
select set_config(name, setting, false)
from unnest(:c1::text[], :c2::text[]) as given (name, setting);

-- name: session_wall
-- Reports: what the open transaction reads is one workspace's alone.
select set_config('farebox.profile_id', :profile_id::bigint::text, true);

-- name: locks_take
-- Transactions, first of all: in the order given, which is the same for everyone.
select case kind when 1 then pg_advisory_xact_lock(key) else pg_advisory_xact_lock_shared(key) end
from unnest(:c1::bigint[], :c2::bigint[]) as wanted (key, kind);

-- name: commit_ids_take
-- Transactions, once a block of ids: the first of the block.
select nextval('commit_ids');

-- name: month_make
-- Recorder, before the first request of a month.
select make_month(:log, :first_ms);

-- name: months_made
-- Recorder, at first use: the partitions that there are.
select c.relname::text from pg_inherits i
join pg_class c on c.oid = i.inhrelid
where i.inhparent in (to_regclass('requests'), to_regclass('captures'));

-- name: migration_lock
-- Migrations: who migrates does it alone, and waits for it as long as it takes.
select pg_advisory_xact_lock(-4);

-- name: nodes_seen
-- Restores, before and after a while: whoever is alive has renewed.
select node_id, renewals from nodes;

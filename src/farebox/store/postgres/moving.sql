-- Statements of a move into this engine, all in one transaction.

-- name: move_is_begun
-- Moving: whether somebody has begun here. Whoever serves a database makes a token first.
select (exists (select from changes) or exists (select from tokens) or exists (select from commits)
  or exists (select from workspaces) or exists (select from nodes))::int::bigint;

-- name: move_columns
-- Moving: what the tables here take. Partitions fill themselves, and `schema_state` stays.
select c.relname::text as table_name, a.attname::text as column_name,
  coalesce(pg_get_serial_sequence(c.oid::regclass::text, a.attname), '') as sequence
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
  and not c.relispartition and c.relname <> 'schema_state'
order by c.relname, a.attnum;

-- name: move_walls_open!
-- Moving: a table with row-level security takes no COPY.
do $$
declare
  found text;
begin
  for found in
    select c.oid::regclass::text from pg_class c
    where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
      and c.relforcerowsecurity and not c.relispartition
  loop
    execute format('alter table %%s no force row level security', found);
  end loop;
end
$$;

-- name: move_walls_close!
-- Moving: before anyone else sees a row.
do $$
declare
  found text;
begin
  for found in
    select c.oid::regclass::text from pg_class c
    where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
      and c.relrowsecurity and not c.relforcerowsecurity
  loop
    execute format('alter table %%s force row level security', found);
  end loop;
end
$$;

-- name: move_sequence
-- Moving: the next number of a sequence.
select setval(:sequence::regclass, :next_number::bigint, false);

-- name: move_commit_ids
-- Moving: ids of commits go on after those that were moved, at the first of a block: the audit
-- takes every thousand for one connection's, within which time never runs back.
select setval('commit_ids', (coalesce(max(commit_id), 0) + 999) / 1000 * 1000 + 1, false)
from commits;

-- name: move_analyze!
-- Moving: the audit that follows needs good plans.
analyze;

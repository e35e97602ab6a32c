-- The schema itself.

-- name: schema_objects
-- Migrations, for a database without a version: tables in it were put there by someone else.
select count(*) from pg_class c
where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
  and not exists (
    select 1 from pg_depend d
    where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e');

-- name: schema_is_kept
-- Migrations: whether the database says where its schema stands.
select (to_regclass('schema_state') is not null)::int::bigint;

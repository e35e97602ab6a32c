-- The schema itself.

-- name: schema_objects
-- Migrations, for a database without a version: anything in it was put there by someone else.
select count(*) from sqlite_schema;

-- name: schema_is_kept
-- Migrations: whether the database says where its schema stands.
select count(*) from sqlite_schema where name = 'schema_state';

-- The schema itself.

-- name: schema_objects
-- Migrations, for a database without a version: anything in it was put there by someone else.
select count(*) from sqlite_schema;

-- name: schema_is_kept
-- Migrations: whether the database says where its schema stands.
select count(*) from sqlite_schema where name = 'schema_state';

-- name: schema_state_get
-- Migrations: where the schema stands.
select version, oldest, finished from schema_state;

-- name: schema_state_put!
-- Migrations, in the transaction of each step.
update schema_state set version = :version, oldest = :oldest, finished = :finished;

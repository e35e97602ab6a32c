-- The schema itself.

-- name: schema_state_get
-- Migrations: where the schema stands.
select version, oldest, finished from schema_state;

-- name: schema_state_put!
-- Migrations, in the transaction of each step.
update schema_state set version = :version, oldest = :oldest, finished = :finished;

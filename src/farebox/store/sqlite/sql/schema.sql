-- The schema itself.

-- name: schema_objects
-- Migrations, for a file without a version: anything in it was put there by someone else.
select count(*) from sqlite_schema;

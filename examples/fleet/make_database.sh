#!/bin/sh
# Run by the database's image when it is new: a role that owns its database and is no superuser,
# so that the walls between workspaces hold for it. The password comes by the environment.
set -eu
psql -v ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\getenv password DATABASE_PASSWORD
create role farebox login nosuperuser nocreatedb nocreaterole nobypassrls password :'password';
create database farebox owner farebox encoding 'UTF8' template template0;
revoke all on database farebox from public;
SQL

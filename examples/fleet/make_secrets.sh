#!/bin/sh
# Makes the secrets of the fleet, once, in .env beside compose.yaml: only you can read it.
set -eu
cd "$(dirname "$0")"
if [ -e .env ]; then
  echo ".env is there already; a new FAREBOX_SECRET would end every signature made so far." >&2
  exit 1
fi
random() { od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n'; }
umask 077
{
  echo "SUPERUSER_PASSWORD=$(random)"
  echo "DATABASE_PASSWORD=$(random)"
  echo "FAREBOX_SECRET=$(random)"
  echo "FAREBOX_ADMIN_TOKEN=$(random)"
} > .env

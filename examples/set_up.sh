#!/bin/sh
# Makes something to sell and someone to sell it to, in ./farebox.db or $FAREBOX_DATABASE.
# It ends with the customer's API key, which is never shown again.
set -eu

farebox log-types create people_search --name "People search" --credits 3 \
  --method POST --path /people/search
# What a contact costs is known when it was looked up: at most 30 credits.
farebox log-types create people_redeem --name "Redeem people" --credits 15 --hold-credits 30 \
  --method POST --path /people/redeem
farebox plans create starter --name Starter --credits-per-month 1000 --api-hour 100
farebox workspaces create "Example Ltd" --plan starter --timezone Europe/Berlin
farebox keys create 1

"""All commands: the writes that the recorder runs, by name. Each lives with its use case."""

from __future__ import annotations

from farebox.engine.transaction import Command
from farebox.service import (
    alerts,
    audit,
    corrections,
    deliveries,
    duties,
    grants,
    housekeeping,
    ingest,
    keys,
    links,
    log_types,
    plans,
    refusals,
    statement,
    tokens,
    users,
    webhooks,
    workspaces,
)

COMMANDS: dict[str, Command] = {
    command.name: command
    for command in (
        *plans.COMMANDS,
        *log_types.COMMANDS,
        *workspaces.COMMANDS,
        *users.COMMANDS,
        *keys.COMMANDS,
        *links.COMMANDS,
        *tokens.COMMANDS,
        *grants.COMMANDS,
        *corrections.COMMANDS,
        *statement.COMMANDS,
        *audit.COMMANDS,
        *housekeeping.COMMANDS,
        *ingest.COMMANDS,
        *duties.COMMANDS,
        *webhooks.COMMANDS,
        *deliveries.COMMANDS,
        *alerts.COMMANDS,
        *refusals.COMMANDS,
    )
}

"""All commands: the writes that the recorder runs, by name. Each lives with its use case."""

from __future__ import annotations

from farebox.engine.transaction import Command
from farebox.service import keys, log_types, plans, users, workspaces

COMMANDS: dict[str, Command] = {
    command.name: command
    for command in (
        *plans.COMMANDS,
        *log_types.COMMANDS,
        *workspaces.COMMANDS,
        *users.COMMANDS,
        *keys.COMMANDS,
    )
}

"""All commands: the writes that the recorder runs, by name. Each lives with its use case."""

from __future__ import annotations

from farebox.engine.transaction import Command

COMMANDS: dict[str, Command] = {command.name: command for command in ()}

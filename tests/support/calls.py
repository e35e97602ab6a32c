"""Calls of commands by their names, with the fields of their forms as they stand in JSON."""

from __future__ import annotations

from typing import Any, get_type_hints

import msgspec

from farebox.contract.decoding import decode
from farebox.engine.sync_link import SyncLink
from farebox.service.commands import COMMANDS

ACTOR = "test"


def call(link: SyncLink, name: str, /, **fields: object) -> Any:  # noqa: ANN401 - each has its own
    """The answer of a command that was sent to a recorder.

    Raises:
        FareboxError: why it was refused.
    """
    command = COMMANDS[name]
    form = decode(msgspec.json.encode(fields), command.arguments)
    answer: type[msgspec.Struct] = get_type_hints(command.run)["return"]
    return link.call(name, form, answer, actor=ACTOR)

"""The formats that can be read, and the guess which one a file is in.

The guess goes by the first lines: the format that most of them are in. A file of which no line
is known is refused, with the choice that there is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Protocol

from farebox.core.errors import INVALID_FIELD, FareboxError
from farebox.importers.caddy_json import CaddyJson, looks_caddy
from farebox.importers.combined import Combined, looks_combined
from farebox.importers.nginx_json import NginxJson, decode_object
from farebox.importers.refusal import Refused
from farebox.importers.row import Path, Place, Row

AUTO = "auto"
FORMATS = (Combined.name, NginxJson.name, CaddyJson.name)
GUESSED_LINES_MAX = 100


class Format(Protocol):
    """What reads lines into rows and knows where things stand in them."""

    name: str
    # The only names that a line can have; empty when it can have any.
    names: tuple[str, ...]
    roles: ClassVar[dict[str, tuple[str, ...]]]

    def read(self, line: bytes) -> Row:
        """The fields of a line; raises `Refused`."""

    def paths(self, place: Place) -> tuple[Path, ...]:
        """Where a place is, best first; none when a line can't have it."""


def format_of(name: str, trailing: tuple[str, ...]) -> Format:
    """The format of a name of `FORMATS`; `trailing` is for the combined one."""
    if name == Combined.name:
        return Combined(trailing)
    return NginxJson() if name == NginxJson.name else CaddyJson()


def guess(lines: Iterable[bytes]) -> str | None:
    """The name of the format that most of the first lines are in.

    None when there is no line.

    Raises:
        FareboxError: none of the lines is in a known format.
    """
    votes: dict[str, int] = {}
    seen = 0
    for line in lines:
        if not line.strip():
            continue
        seen += 1
        name = _guess_line(line)
        if name is not None:
            votes[name] = votes.get(name, 0) + 1
        if seen == GUESSED_LINES_MAX:
            break
    if not seen:
        return None
    if not votes:
        expected = f"a log whose lines are in one of the formats {', '.join(FORMATS)}"
        raise FareboxError(INVALID_FIELD, field="file", expected=expected)
    return max(votes, key=lambda name: votes[name])


def _guess_line(line: bytes) -> str | None:
    if line.lstrip().startswith(b"{"):
        try:
            row = decode_object(line)
        except Refused:
            return None
        return CaddyJson.name if looks_caddy(row) else NginxJson.name
    return Combined.name if looks_combined(line) else None

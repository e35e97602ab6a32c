"""Refusals: the lines that can't be imported, by number and reason only, never by content.

A line may hold a key, so every reason is one of a fixed list: what a line says can't get out
through its refusal. The report is bounded, however many lines are refused.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

SAMPLES_MAX = 20


class Reason(StrEnum):
    """Why a line was refused, in plain words."""

    TOO_LONG = "the line is longer than 65536 bytes"
    UNENDED = "the last line has no line end, so it may be half written"
    NOT_COMBINED = "the line is not in the combined format"
    TRAILING = "the line has other trailing fields than 'combined.trailing' names"
    NOT_JSON = "the line is not a JSON object (nginx: is the log_format escape=json?)"
    NOT_ACCESS = "the line is not of an access log"
    NO_TIME = "the line has no time"
    BAD_TIME = "the time is not a known form with an offset"
    OUT_OF_ORDER = "the line is too far out of order; sort the file by time"
    NO_REQUEST = "the line has no request line, nor a method and a path"
    BAD_REQUEST = "the request is not a method and a path"
    PATH_TOO_LONG = "the path is longer than 8192 bytes"
    BAD_STATUS = "the status code is not from 100 to 599"
    BAD_DURATION = "the duration is not a number of 0 or more"
    BAD_SIZE = "the response size is not a whole number of 0 or more"
    NO_KEY = "the line has no key where the mapping says"
    STRUCK_KEY = "the server struck the key out of its log (Caddy: see log_credentials)"
    BAD_KEY = "the key is not of 8 to 512 printable ASCII characters, or its checksum is wrong"
    BAD_KEY_ID = "the key id is not of 1 to 200 printable characters"
    BAD_REQUEST_ID = "the request id is not of 1 to 1024 bytes of printable text"
    BAD_LOG_TYPE = "the log type is not a slug"
    BAD_CHANNEL = "the channel is neither api nor portal"
    UNKNOWN_KEY = "the key, or the key id, is not known"
    UNKNOWN_LOG_TYPE = "the log type is not known"
    FUTURE = "the time lies more than 5 minutes ahead"
    BAD_FIELD = "a field of the line can't be recorded"
    CONFLICT = "a request with this id was recorded before with another content"
    DATABASE = "the request breaks a rule of the database"
    BAD_CREDITS = "the credits are not from 0 to 1000000000 with at most 6 decimal places"


class Refused(Exception):  # noqa: N818 - it says what happened to the line
    """Ends the reading of one line."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(reason.value)


class Refusal(NamedTuple):
    """A refused line of the file; the first line has the number 1."""

    line_number: int
    reason: Reason


class RefusalReport:
    """How many lines were refused for which reason, and the first lines of each."""

    def __init__(self) -> None:
        self.counts: dict[Reason, int] = {}
        self.samples: dict[Reason, list[int]] = {}

    def add(self, refusal: Refusal) -> None:
        """Counts one refusal and keeps its line number if it is among the first."""
        reason = refusal.reason
        self.counts[reason] = self.counts.get(reason, 0) + 1
        numbers = self.samples.setdefault(reason, [])
        if len(numbers) < SAMPLES_MAX:
            numbers.append(refusal.line_number)

    @property
    def total(self) -> int:
        """All refused lines."""
        return sum(self.counts.values())

    def ordered(self) -> list[tuple[Reason, int]]:
        """Each reason with its number of lines, the most frequent first."""
        return sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))

    def to_text(self, file: str) -> str:
        """A line for each reason, the most frequent first: `access.log: 2 lines (3, 8): why`."""
        written = []
        for reason, count in self.ordered():
            numbers = ", ".join(map(str, self.samples[reason]))
            more = ", …" if count > len(self.samples[reason]) else ""
            lines = "line" if count == 1 else "lines"
            written.append(f"{file}: {count} {lines} ({numbers}{more}): {reason}")
        return "\n".join(written)

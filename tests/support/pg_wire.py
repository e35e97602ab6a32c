"""What a client of PostgreSQL is sending, read along: whether a COMMIT goes by, and where.

Understands the frames of the frontend protocol: the unframed start, simple queries, and prepared
statements with their portals. Content is never changed.
"""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

HEAD_BYTES = 5
START_BYTES = 8
# Encryption that is asked for first; the start follows. Our servers say no.
ASKS_FIRST = {80877103, 80877104}
COMMIT = re.compile(r"(?:^|;)\s*(?:commit|end)(?:\s+(?:work|transaction))?\s*;?\s*$", re.IGNORECASE)
WRITE = re.compile(r"\b(?:insert|update|delete|copy|merge)\b", re.IGNORECASE)
COMMITTED = b"C\x00\x00\x00\x0bCOMMIT\x00"


class Commit(NamedTuple):
    """A COMMIT in what was fed: how many bytes lie before it, and whether it ends writes."""

    at_bytes: int
    is_write: bool


class Frontend:
    """One connection, from its first byte on."""

    def __init__(self) -> None:
        self._rest = b""
        self._has_started = False
        self._has_written = False
        self._statements: dict[bytes, str] = {}
        self._portals: dict[bytes, str] = {}

    def feed(self, data: bytes) -> list[Commit]:
        """The commits whose frames end in these bytes.

        `at_bytes` counts from the beginning of `data`; below 0 if the frame began before it.
        """
        before = len(self._rest)
        buffer = self._rest + data
        found: list[Commit] = []
        at = 0
        while True:
            length = self._length(buffer, at)
            if length is None or at + length > len(buffer):
                break
            if not self._has_started:
                (code,) = struct.unpack_from("!I", buffer, at + 4)
                self._has_started = code not in ASKS_FIRST
            elif self._is_commit(buffer[at : at + 1], buffer[at + HEAD_BYTES : at + length]):
                found.append(Commit(at - before, self._has_written))
                self._has_written = False
            at += length
        self._rest = buffer[at:]
        return found

    def _length(self, buffer: bytes, at: int) -> int | None:
        """How long the frame at a place is; None if not even that is there."""
        if len(buffer) - at < (HEAD_BYTES if self._has_started else START_BYTES):
            return None
        (length,) = struct.unpack_from("!I", buffer, at + self._has_started)
        assert isinstance(length, int)
        return length + self._has_started

    def _is_commit(self, kind: bytes, body: bytes) -> bool:
        """Whether a frame makes the server commit; notes what it prepares and writes."""
        text = None
        if kind == b"Q":
            text = body.rstrip(b"\0").decode(errors="replace")
        elif kind == b"P":
            name, query, _ = body.split(b"\0", 2)
            self._statements[name] = query.decode(errors="replace")
        elif kind == b"B":
            portal, name, _ = body.split(b"\0", 2)
            self._portals[portal] = self._statements.get(name, "")
        elif kind == b"E":
            text = self._portals.get(body.split(b"\0", 1)[0], "")
        if text is None:
            return False
        self._has_written |= bool(WRITE.search(text))
        return bool(COMMIT.search(text))

"""The outside world as a client asks for it: the time, and chance. It comes in as a parameter."""

from __future__ import annotations

import os
import time
from typing import Protocol

from farebox.core.identity import RANDOM_BYTES, format_uuid, query_log_id

NS_PER_MS = 1_000_000
_FRACTION_BYTES = 4


class Outside(Protocol):
    """What tells the time and draws lots."""

    def wall_ms(self) -> int:
        """UTC milliseconds."""

    def monotonic(self) -> float:
        """Seconds that never run back, from no point in particular."""

    def random_bytes(self, length: int) -> bytes:
        """Unpredictable bytes."""


class SystemOutside:
    """The machine's."""

    def wall_ms(self) -> int:
        """UTC milliseconds."""
        return time.time_ns() // NS_PER_MS

    def monotonic(self) -> float:
        """Seconds that never run back, from no point in particular."""
        return time.monotonic()

    def random_bytes(self, length: int) -> bytes:
        """Unpredictable bytes."""
        return os.urandom(length)


def new_id(outside: Outside) -> str:
    """A UUIDv7: ids in the order of time keep the server's index of identities small."""
    return format_uuid(query_log_id(outside.wall_ms(), outside.random_bytes(RANDOM_BYTES)))


def fraction(outside: Outside) -> float:
    """A random number from 0 up to 1, which isn't in it."""
    drawn = int.from_bytes(outside.random_bytes(_FRACTION_BYTES), "big")
    return drawn / (1 << 8 * _FRACTION_BYTES)

"""Entropy: where unpredictable ids and secrets come from, as a parameter: tests can seed it."""

from __future__ import annotations

import os
import secrets
import uuid
from typing import Protocol

from farebox.core.identity import format_uuid, query_log_id


class Entropy(Protocol):
    """A source of random numbers."""

    def random_bytes(self, length: int) -> bytes:
        """Unpredictable bytes."""

    def random_below(self, bound: int) -> int:
        """An unpredictable integer from 0 to `bound - 1`."""


class SystemEntropy:
    """The operating system's."""

    def random_bytes(self, length: int) -> bytes:
        """Unpredictable bytes."""
        return os.urandom(length)

    def random_below(self, bound: int) -> int:
        """An unpredictable integer from 0 to `bound - 1`."""
        return secrets.randbelow(bound)


def new_uuid(entropy: Entropy) -> str:
    """A random UUID (version 4), for `uid` and `user_id`."""
    return str(uuid.UUID(bytes=entropy.random_bytes(16), version=4))


def new_time_uuid(entropy: Entropy, time_ms: int) -> str:
    """The text of a UUIDv7."""
    return format_uuid(query_log_id(time_ms, entropy.random_bytes(10)))

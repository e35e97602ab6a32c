"""What one connection, and all of them together, may take of a server: sizes, times and a count."""

from __future__ import annotations

from typing import NamedTuple


class Bounds(NamedTuple):
    """Of one server.

    Attributes:
        head_bytes: how large a head may be.
        head_seconds: how long it may take from its beginning, or from that of the connection.
        body_seconds: how often it is looked how much of a body has come since.
        body_bytes: how much that must be, unless the body has ended. With these two 2 KiB/s is
            the slowest line that may send, however large the body is.
        connections: how many may be open at once. Whoever comes then is told so.
        surplus_connections: how many may be open at once to be told so; more are hung up on.
        surplus_seconds: how long who is to be told so may take to ask for something.
    """

    head_bytes: int = 64 * 1024
    head_seconds: float = 30.0
    body_seconds: float = 30.0
    body_bytes: int = 64 * 1024
    connections: int = 4_096
    surplus_connections: int = 64
    surplus_seconds: float = 2.0

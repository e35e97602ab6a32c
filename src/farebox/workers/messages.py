"""What a worker and its supervisor say to each other: one JSON object a line.

The line itself matters as well: when it breaks off, the other has gone.
"""

from __future__ import annotations

import msgspec

from farebox.service.numbers import Number

LINE_BYTES_MAX = 16 * 1024 * 1024


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """A worker: it listens, and can decide."""

    url: str


class Told(msgspec.Struct, frozen=True, tag="told"):
    """A worker: what it has counted so far."""

    numbers: list[Number]


class Gather(msgspec.Struct, frozen=True, tag="gather"):
    """A worker: it wants the numbers of all."""


class Tell(msgspec.Struct, frozen=True, tag="tell"):
    """The supervisor: it wants to be told now."""


class Total(msgspec.Struct, frozen=True, tag="total"):
    """The supervisor: the numbers of all, those that have gone included."""

    numbers: list[Number]


FromWorker = Ready | Told | Gather
ToWorker = Tell | Total
_from_worker: msgspec.json.Decoder[FromWorker] = msgspec.json.Decoder(FromWorker)
_to_worker: msgspec.json.Decoder[ToWorker] = msgspec.json.Decoder(ToWorker)


def line(message: FromWorker | ToWorker) -> bytes:
    """A message as it is sent."""
    return msgspec.json.encode(message) + b"\n"


def from_worker(received: bytes) -> FromWorker:
    """What a worker says."""
    return _from_worker.decode(received)


def to_worker(received: bytes) -> ToWorker:
    """What the supervisor says."""
    return _to_worker.decode(received)

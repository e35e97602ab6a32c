"""Ingest: how much was recorded, by the minute of its commit, by the whole fleet.

The recorder adds each batch to its minute in the batch's own transaction. Minutes are forgotten
after two days: this is for the eye, and no report or balance is made from it.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from farebox.core.instant import MS_PER_MINUTE
from farebox.engine.transaction import Command, Transaction
from farebox.service.forms.common import Nothing
from farebox.service.reading import snapshot
from farebox.store.contract import Reader

MINUTES_TOLD = 60
HOURS_TOLD = 24
MINUTES_PER_HOUR = 60
MINUTES_KEPT = 2 * 24 * 60


class IngestPart(NamedTuple):
    """What was recorded in a minute or an hour that began at an instant."""

    start_ms: int
    requests: int
    credits_micro: int


class Ingest(NamedTuple):
    """The last hour by minute and the last day by hour, the current ones included."""

    minutes: list[IngestPart]
    hours: list[IngestPart]


class IngestForget(msgspec.Struct, frozen=True):
    """Forget minutes before a minute."""

    before_minute: int


class _Row(NamedTuple):
    part: int
    requests: int
    credits_micro: int


def read_ingest(reader: Reader, now_ms: int) -> Ingest:
    """What was recorded lately; minutes and hours without are there, too. Hours are UTC's."""
    with snapshot(reader):
        return Ingest(
            _parts(reader, now_ms, 1, MINUTES_TOLD),
            _parts(reader, now_ms, MINUTES_PER_HOUR, HOURS_TOLD),
        )


def _parts(reader: Reader, now_ms: int, width: int, count: int) -> list[IngestPart]:
    """The last parts of `width` minutes each."""
    last = now_ms // MS_PER_MINUTE // width
    first = last - count + 1
    rows = reader.rows("ingest_since", _Row, width=width, first_minute=first * width)
    found = {row.part: row for row in rows}
    parts = (found.get(part, _Row(part, 0, 0)) for part in range(first, last + 1))
    return [
        IngestPart(row.part * width * MS_PER_MINUTE, row.requests, row.credits_micro)
        for row in parts
    ]


def _forget(tx: Transaction, forget: IngestForget) -> Nothing:
    tx.db.execute("ingest_forget", before_minute=forget.before_minute)
    return Nothing()


COMMANDS = (Command("ingest.forget", IngestForget, _forget),)

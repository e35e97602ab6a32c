"""Ends elsewhere: reservations that one process holds and another one has ended.

The recorder takes what they had of lots there and then; the process that holds them is told with
its next renewals, so that it frees only the rest. A row stays until that process has heard it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from farebox.engine.known import json_identities, json_ids
from farebox.store.contract import Writer

FORGET_EVERY_MS = 1_000
# Credits are taken only where their process hears of it before its hold expires, however long the
# commit takes and whatever the clocks say; else they are its own to release then.
MARGIN_MS = 20_000
NOT_TAKEN = -1


class EndRow(NamedTuple):
    """One end. `taken_micro` is what was taken of its credits, or `NOT_TAKEN`."""

    lease_id: int
    number: int
    taken_micro: int
    profile_id: int
    identity: bytes


class Ends:
    """Those of this node's leases. What is kept here is about what processes were told."""

    def __init__(self, db: Writer) -> None:
        self._db = db
        self._read: dict[int, list[EndRow]] = {}
        self._told: dict[int, dict[int, EndRow]] = defaultdict(dict)
        self._heard: list[EndRow] = []
        self._forgot_ms = 0

    def add(self, row: EndRow) -> None:
        """Note that what a lease holds was ended by another process; inside a transaction."""
        self._db.send("end_elsewhere_insert", **row._asdict())

    def ended(self, places: Sequence[tuple[int, bytes]]) -> set[tuple[int, bytes]]:
        """Those of some reservations that were ended so, and whose process hasn't heard it yet."""
        if not places:
            return set()
        asked = json_identities(places)
        found = self._db.rows("ends_elsewhere_among", _Place, identities=asked)
        return {(row.profile_id, row.identity) for row in found}

    def note(self, rows: Iterable[EndRow]) -> None:
        """Take what was read of all leases of this node, where others write too."""
        self._read = {}
        for row in rows:
            self._read.setdefault(row.lease_id, []).append(row)

    def tell(self, lease_id: int) -> list[tuple[int, int]]:
        """What the process of a lease is told with this reply; it has heard the last one."""
        told = self._told.pop(lease_id, None)
        if told:
            self._heard += told.values()
        if self._db.is_alone:
            ids = json_ids([lease_id])
            rows = self._db.rows("ends_elsewhere_of", EndRow, lease_ids=ids)
        else:
            rows = self._read.pop(lease_id, [])
        heard = {(row.lease_id, row.number) for row in self._heard}
        fresh = {row.number: row for row in rows if (row.lease_id, row.number) not in heard}
        if fresh:
            self._told[lease_id] = fresh
        return [(row.number, row.taken_micro) for row in fresh.values()]

    def forget_leases(self, lease_ids: Iterable[int]) -> None:
        """Nobody is told any more by these; what they had not heard went with them."""
        for lease_id in lease_ids:
            self._told.pop(lease_id, None)

    def to_forget(self, now_ms: int) -> list[EndRow]:
        """What was heard, now and then."""
        if not self._heard or now_ms - self._forgot_ms < FORGET_EVERY_MS:
            return []
        self._forgot_ms = now_ms
        return self._heard

    def forget(self, rows: list[EndRow]) -> None:
        """Forget what was heard; inside a transaction."""
        places = sorted((row.profile_id, row.identity) for row in rows)
        self._db.send_many("ends_elsewhere_forget", places)

    def forgotten(self) -> None:
        """Note that this was committed."""
        self._heard = []


class _Place(NamedTuple):
    profile_id: int
    identity: bytes

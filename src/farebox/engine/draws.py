"""Draws: what processes have set apart to admit by, in memory and in the table `draws`.

A lot is what one lease has drawn of one limit in one window, or of one grant. The lots of all
leases together are what a limit has to spare less; so whatever a process does, or whenever it
dies, no unit is handed out twice. Changes are kept until `write`, in the transaction that they
belong to; after a rollback the memory is dropped.

A window of a second or a minute is in no rollup: what was drawn of it is what was used of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from farebox.core.admission import LimitName
from farebox.store.contract import Writer

# profile_id, name, scope, channel, start_ms
LimitKey = tuple[int, LimitName, str, str, int]
# The same without its scope.
_WindowKey = tuple[int, LimitName, str, int]
CREDIT_NAMES: frozenset[LimitName] = frozenset({"credits", "key_credits"})
# A lot is remembered a little longer than its window is open.
CLOSED_MS = 60_000


class Lot(NamedTuple):
    """What one lease has drawn of one limit."""

    profile_id: int
    lease_id: int
    lot_id: int
    name: LimitName
    scope: str
    channel: str
    start_ms: int
    end_ms: int | None
    units: int

    @property
    def key(self) -> LimitKey:
        """The limit and the window that it is of."""
        return (self.profile_id, self.name, self.scope, self.channel, self.start_ms)


class Lease(NamedTuple):
    """One process's right to draw; `hold_ms` is its longest reservation."""

    lease_id: int
    hold_ms: int
    ended_at_ms: int | None


class Draws:
    """All lots and leases of a database. Called inside the recorder's transactions."""

    def __init__(self, db: Writer) -> None:
        self._db = db
        self._is_loaded = False
        self._lots: dict[int, dict[int, Lot]] = defaultdict(dict)
        self._lot_ids: dict[tuple[int, LimitKey], int] = {}
        self._last_lot_ids: dict[int, int] = defaultdict(int)
        self._units: dict[LimitKey, int] = defaultdict(int)
        # The same of all scopes together.
        self._units_of_all: dict[_WindowKey, int] = defaultdict(int)
        self._leases: dict[int, Lease] = {}
        self._changed: set[tuple[int, int]] = set()
        self._dropped: dict[tuple[int, int], Lot] = {}
        self._dropped_leases: set[int] = set()

    def forget(self) -> None:
        """Drop what is in memory: after a rollback it may be ahead of the database."""
        self._is_loaded = False
        self._changed.clear()
        self._dropped.clear()
        self._dropped_leases.clear()

    def write(self) -> None:
        """Write what has changed, in the order of the primary key."""
        put = sorted(self._lots[lease_id][lot_id] for lease_id, lot_id in self._changed)
        self._db.execute_many("draws_put", put)
        self._db.execute_many("draws_drop", sorted(lot[:3] for lot in self._dropped.values()))
        # After their lots: those point to them.
        for lease_id in sorted(self._dropped_leases):
            self._db.execute("lease_drop", lease_id=lease_id)
        self._changed.clear()
        self._dropped.clear()
        self._dropped_leases.clear()

    def lease(self, lease_id: int) -> Lease | None:
        """A lease that has drawn something, until nothing of that is left."""
        self._load()
        return self._leases.get(lease_id)

    def leases(self) -> list[Lease]:
        """All leases, the oldest first."""
        self._load()
        return list(self._leases.values())

    def open(self, lease_id: int, hold_ms: int, now_ms: int) -> None:
        """Begin a lease."""
        self._load()
        self._db.execute("lease_insert", lease_id=lease_id, opened_at_ms=now_ms, hold_ms=hold_ms)
        self._leases[lease_id] = Lease(lease_id, hold_ms, None)

    def end(self, lease_id: int, now_ms: int) -> None:
        """End a lease; what it had drawn stays drawn."""
        self._db.execute("lease_end", lease_id=lease_id, ended_at_ms=now_ms)
        self._leases[lease_id] = self._leases[lease_id]._replace(ended_at_ms=now_ms)

    def drop_lease(self, lease_id: int) -> None:
        """Forget a lease that has ended and has nothing drawn."""
        del self._leases[lease_id]
        self._lots.pop(lease_id, None)
        self._last_lot_ids.pop(lease_id, None)
        self._dropped_leases.add(lease_id)

    def lots_of(self, lease_id: int) -> list[Lot]:
        """What a lease has drawn."""
        self._load()
        return list(self._lots.get(lease_id, {}).values())

    def units(self, key: LimitKey) -> int:
        """What all leases together have drawn that counts to a limit.

        Who shares a quota may have changed since: what users drew is the whole workspace's too,
        and what was drawn for that may be any user's.
        """
        self._load()
        profile_id, name, scope, channel, start_ms = key
        if not scope:
            return self._units_of_all.get((profile_id, name, channel, start_ms), 0)
        shared = self._units.get((profile_id, name, "", channel, start_ms), 0)
        return self._units.get(key, 0) + shared

    def lot_id(self, lease_id: int, key: LimitKey) -> int:
        """The lot that a lease has of a limit; 0 for none."""
        self._load()
        return self._lot_ids.get((lease_id, key), 0)

    def add(self, lease_id: int, key: LimitKey, end_ms: int | None, units: int) -> int:
        """Draw units for a lease; the lot they are in."""
        self._load()
        lot_id = self._lot_ids.get((lease_id, key))
        if lot_id is None:
            lot_id = self._last_lot_ids[lease_id] = self._last_lot_ids[lease_id] + 1
            profile_id, name, scope, channel, start_ms = key
            lot = Lot(profile_id, lease_id, lot_id, name, scope, channel, start_ms, end_ms, 0)
            self._lot_ids[lease_id, key] = lot_id
        else:
            lot = self._lots[lease_id][lot_id]
        self._put(lot, units)
        return lot_id

    def take(self, lease_id: int, lot_id: int, units: int) -> tuple[Lot, int] | None:
        """Take units out of a lot, as many as there are; None when the lot is no more."""
        self._load()
        lot = self._lots.get(lease_id, {}).get(lot_id)
        if lot is None:
            return None
        taken = min(units, lot.units)
        self._put(lot, -taken)
        return lot, taken

    def drop(self, lots: Iterable[Lot]) -> None:
        """Forget lots for good."""
        for lot in lots:
            place = (lot.lease_id, lot.lot_id)
            self._count(lot, -lot.units)
            del self._lots[lot.lease_id][lot.lot_id], self._lot_ids[lot.lease_id, lot.key]
            self._changed.discard(place)
            self._dropped[place] = lot

    def closed(self, now_ms: int) -> list[Lot]:
        """Lots of windows that have closed."""
        self._load()
        return [
            lot
            for lots in self._lots.values()
            for lot in lots.values()
            if lot.end_ms is not None and lot.end_ms + CLOSED_MS <= now_ms
        ]

    def _put(self, lot: Lot, more: int) -> None:
        place = (lot.lease_id, lot.lot_id)
        self._lots[lot.lease_id][lot.lot_id] = lot._replace(units=lot.units + more)
        self._count(lot, more)
        self._changed.add(place)

    def _count(self, lot: Lot, more: int) -> None:
        window = (lot.profile_id, lot.name, lot.channel, lot.start_ms)
        self._units[lot.key] += more
        if not self._units[lot.key]:
            del self._units[lot.key]
        self._units_of_all[window] += more
        if not self._units_of_all[window]:
            del self._units_of_all[window]

    def _load(self) -> None:
        if self._is_loaded:
            return
        for kept in (
            self._lots,
            self._lot_ids,
            self._units,
            self._units_of_all,
            self._leases,
        ):
            kept.clear()
        self._is_loaded = True
        self._leases.update({lease.lease_id: lease for lease in self._db.rows("leases_all", Lease)})
        for lot in self._db.rows("draws_all", Lot):
            self._lots[lot.lease_id][lot.lot_id] = lot
            self._lot_ids[lot.lease_id, lot.key] = lot.lot_id
            # Numbers of lots that are no more are not used again: reservations may name them.
            last = self._last_lot_ids[lot.lease_id]
            self._last_lot_ids[lot.lease_id] = max(last, lot.lot_id)
            self._count(lot, lot.units)

"""Draws: what processes have set apart to admit by, in memory and in the table `draws`.

A lot is what one lease has drawn of one limit in one window, or of one grant. The lots of all
leases together are what a limit has to spare less; so whatever a process does, or whenever it
dies, no unit is handed out twice. Changes are kept until `write`, in the transaction that they
belong to; after a rollback the memory is dropped. Where others write too, a transaction knows only
what was read for it, and takes from another process's lot only what it holds alone.

A window of a second or a minute is in no rollup: what was drawn of it is what was used of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from farebox.core.admission import LimitName
from farebox.engine.held import Held
from farebox.engine.known import json_ids
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

    @property
    def is_credit(self) -> bool:
        """Whether its units are micro-credits, which return when its lease is over."""
        return self.name in CREDIT_NAMES


class Lease(NamedTuple):
    """One process's right to draw; `hold_ms` is its longest reservation.

    A lease `is_parted` when its process has told what it has left of it; that counts once.
    """

    lease_id: int
    hold_ms: int
    ended_at_ms: int | None
    is_parted: int
    node_id: int | None = None


class Draws:
    """All lots and leases of a database. Called inside the recorder's transactions."""

    def __init__(self, db: Writer, held: Held, node_id: int) -> None:
        self._db = db
        self._held = held
        self._node_id = node_id
        self._is_loaded = False
        self._lots: dict[int, dict[int, Lot]] = defaultdict(dict)
        self._lot_ids: dict[tuple[int, LimitKey], int] = {}
        # Of leases that draw here: numbers aren't used again, since reservations may name them.
        self._last_lot_ids: dict[int, int] = defaultdict(int)
        self._units: dict[LimitKey, int] = defaultdict(int)
        # The same of all scopes together.
        self._units_of_all: dict[_WindowKey, int] = defaultdict(int)
        self._leases: dict[int, Lease] = {}
        self._changed: set[tuple[int, int]] = set()
        self._dropped: dict[tuple[int, int], Lot] = {}
        # What becomes of leases with this commit; None is forgotten.
        self._lease_changes: dict[int, Lease | None] = {}
        # Whose a lot is that was added here: to be known before its workspace is held.
        self._profile_ids: dict[tuple[int, int], int] = {}

    def forget(self) -> None:
        """Drop what is in memory: after a rollback it may be ahead of the database."""
        self._is_loaded = False
        self._changed.clear()
        self._dropped.clear()
        self._lease_changes.clear()

    def know(self, lots: Iterable[Lot], leases: Iterable[Lease]) -> None:
        """Take what was read for a transaction, and nothing else."""
        for kept in (self._lots, self._lot_ids, self._units, self._units_of_all, self._leases):
            kept.clear()
        self._is_loaded = True
        self._leases.update({lease.lease_id: lease for lease in leases})
        for lot in lots:
            self._lots[lot.lease_id][lot.lot_id] = lot
            self._lot_ids[lot.lease_id, lot.key] = lot.lot_id
            self._count(lot, lot.units)

    def profiles_of(self, lease_id: int, lot_ids: Iterable[int]) -> set[int]:
        """Whose some lots of a lease are; called before a transaction."""
        places = [(lease_id, lot_id) for lot_id in lot_ids]
        if all(place in self._profile_ids for place in places):
            return {self._profile_ids[place] for place in places}
        rows = self._db.rows("draws_profiles", _ProfileRow, lease_ids=json_ids([lease_id]))
        return {row.profile_id for row in rows}

    def profiles_of_credits(self, lease_ids: Iterable[int], count: int) -> set[int]:
        """Where leases have drawn credits, so many at most; called before a transaction."""
        ids = json_ids(lease_ids)
        rows = self._db.rows("draws_credit_profiles", _ProfileRow, lease_ids=ids, count=count)
        return {row.profile_id for row in rows}

    def write(self) -> None:
        """Write what has changed, in the order of the primary key."""
        put = sorted(self._lots[lease_id][lot_id] for lease_id, lot_id in self._changed)
        self._db.send_many("draws_put", put)
        self._db.send_many("draws_drop", sorted(lot[:3] for lot in self._dropped.values()))
        # After their lots: those point to them.
        for lease_id, lease in sorted(self._lease_changes.items()):
            if lease is None:
                self._db.send("lease_drop", lease_id=lease_id)
                # Nobody adds any from here on.
                self._db.send("ends_elsewhere_drop", lease_id=lease_id)
        self._changed.clear()
        self._dropped.clear()

    def take_lease_changes(self) -> dict[int, Lease | None]:
        """What has become of leases with the commit that was just made."""
        changes, self._lease_changes = self._lease_changes, {}
        return changes

    def lease(self, lease_id: int) -> Lease | None:
        """A lease that has drawn something, until nothing of that is left."""
        self._load()
        return self._leases.get(lease_id)

    def is_foreign(self, lease: Lease) -> bool:
        """Whether a lease was opened by way of another node: one number, one counter of lots."""
        return lease.node_id != self._node_id

    def open(self, lease_id: int, hold_ms: int, now_ms: int) -> None:
        """Begin a lease."""
        self._load()
        self._db.send(
            "lease_insert",
            lease_id=lease_id,
            node_id=self._node_id,
            opened_at_ms=now_ms,
            hold_ms=hold_ms,
        )
        self._change(Lease(lease_id, hold_ms, None, 0, self._node_id))

    def end(self, lease_id: int, now_ms: int) -> None:
        """End a lease; what it had drawn stays drawn."""
        self._db.send("lease_end", lease_id=lease_id, ended_at_ms=now_ms)
        self._change(self._leases[lease_id]._replace(ended_at_ms=now_ms))

    def part(self, lease_id: int) -> None:
        """Note that the process of a lease has told what it has left of it."""
        self._db.send("lease_part", lease_id=lease_id)
        self._change(self._leases[lease_id]._replace(is_parted=1))

    def drop_lease(self, lease_id: int) -> None:
        """Forget a lease that has ended and has nothing drawn."""
        self._load()
        self._leases.pop(lease_id, None)
        self._lots.pop(lease_id, None)
        self._last_lot_ids.pop(lease_id, None)
        self._lease_changes[lease_id] = None

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

    def is_credit(self, lease_id: int, lot_id: int) -> bool:
        """Whether a lot's units are micro-credits; not of one that is no more."""
        self._load()
        lot = self._lots.get(lease_id, {}).get(lot_id)
        return lot is not None and lot.is_credit

    def elsewhere(self, lease_id: int, key: LimitKey) -> int:
        """What other leases that are live have drawn that counts to a limit."""
        self._load()
        profile_id, name, scope, channel, start_ms = key
        keys = {key, (profile_id, name, "", channel, start_ms)} if scope else {key}
        return sum(
            self._lots[other][self._lot_ids[other, k]].units
            for other, lease in self._leases.items()
            if other != lease_id and lease.ended_at_ms is None
            for k in keys
            if (other, k) in self._lot_ids
        )

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
        self._profile_ids[lease_id, lot_id] = lot.profile_id
        self._put(lot, units)
        return lot_id

    def take(
        self, lease_id: int, lot_id: int, units: int, *, is_own: bool = False
    ) -> tuple[Lot, int] | None:
        """Take units out of a lot, as many as there are; None when the lot is no more.

        Nobody but the process that `is_own` takes from a lot without holding its workspace alone.
        """
        self._load()
        lot = self._lots.get(lease_id, {}).get(lot_id)
        if lot is None:
            return None
        if not is_own:
            self._held.need(lot.profile_id)
        taken = min(units, lot.units)
        self._put(lot, -taken)
        return lot, taken

    def drop(self, lots: Iterable[Lot]) -> None:
        """Forget lots for good."""
        self._load()
        for lot in lots:
            # Whoever ends what another process holds may be about to write it.
            self._held.need(lot.profile_id)
            place = (lot.lease_id, lot.lot_id)
            self._count(lot, -lot.units)
            del self._lots[lot.lease_id][lot.lot_id], self._lot_ids[lot.lease_id, lot.key]
            self._changed.discard(place)
            self._profile_ids.pop(place, None)
            self._dropped[place] = lot

    def _change(self, lease: Lease) -> None:
        self._leases[lease.lease_id] = self._lease_changes[lease.lease_id] = lease

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
        """Where nobody else writes, everything is known from the first use on."""
        if not self._is_loaded:
            assert self._db.is_alone
            self.know(self._db.rows("draws_all", Lot), self._db.rows("leases_all", Lease))


class _ProfileRow(NamedTuple):
    profile_id: int

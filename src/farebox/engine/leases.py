"""Leases: who may draw, and what becomes of what was drawn when nobody answers for it any more.

A process renews its lease a few times a second. One that hangs up or falls silent, or whose
recorder has changed, is over: a new lease is a new start. What it had drawn of a window counts as
used until the window closes, but for what its process tells to be free. What it had drawn of
credits is held for its longest reservation, and for the moment that its process may still have
trusted its memory, then returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from farebox.engine.draws import CLOSED_MS, Draws, Lease, Lot
from farebox.engine.known import json_ids
from farebox.engine.supply import Supplier
from farebox.store.contract import Writer

# A process trusts its memory for so long after the renewal it last began.
TRUST_MS = 900
SILENT_MS = 2_000
SWEEP_EVERY_MS = 10_000
# Of one commit: leases that are released, and lots of closed windows that are forgotten.
RELEASED_MAX = 100
SWEPT_MAX = 500
# When a restore ends all leases: what they held was of another database.
LONG_AGO_MS = 0


class Due(NamedTuple):
    """Leases whose process is silent, and ended ones whose reservations have all expired."""

    silent: list[int]
    over: list[int]


class Litter(NamedTuple):
    """Lots of windows that have closed, and ended leases that nothing is left of."""

    closed: list[Lot]
    empty: list[int]


class Leases:
    """Those of this node: of processes that draw by it, and those it has to release.

    What is kept here follows the commits, and outlives a rollback: it is about the processes.
    """

    def __init__(self, db: Writer, draws: Draws, supplier: Supplier) -> None:
        self._db = db
        self._draws = draws
        self._supplier = supplier
        self._renewed_ms: dict[int, int] = {}
        # Those whose process has hung up; that they have ended is written with the next commit.
        self._gone: set[int] = set()
        self._open: set[int] = set()
        # Ended, with credits that have not returned yet.
        self._ended: dict[int, Lease] = {}
        # Since when that is known here, by a clock that follows nobody.
        self._ended_ms: dict[int, int] = {}
        # Ended leases whose credits have returned; what they drew of windows closes with those.
        self._released: set[int] = set()
        self._looked_ms = 0
        self._swept_ms = 0

    def note(self, changes: Mapping[int, Lease | None]) -> None:
        """Take what a commit has made of leases."""
        for lease_id, lease in changes.items():
            self._open.discard(lease_id)
            if lease is None:
                self._forget_ended(lease_id)
                self._released.discard(lease_id)
            elif lease.ended_at_ms is None:
                self._open.add(lease_id)
            elif lease_id not in self._released:
                self._ended[lease_id] = lease
                self._gone.discard(lease_id)

    def renew(self, lease_id: int, now_ms: int) -> None:
        """Note that a process is there."""
        self._renewed_ms[lease_id] = now_ms

    def is_drawing(self, lease_id: int) -> bool:
        """Whether a process of this node draws by a lease."""
        return lease_id in self._open and lease_id not in self._gone

    def hang_up(self, lease_id: int) -> None:
        """Note that a process has gone: whatever else it says, its lease is over."""
        self._gone.add(lease_id)

    def is_live(self, lease_id: int) -> bool:
        """Whether a process may still use what it drew by a lease; not by one that is no more."""
        lease = self._draws.lease(lease_id)
        return lease is not None and lease.ended_at_ms is None and lease_id not in self._gone

    def due(self, now_ms: int, by_itself_ms: int) -> Due:
        """What `pass_time` has to do by now.

        A step ahead to another's clock must not shorten what is held: `by_itself_ms` has none.
        """
        # Where the recorder itself was held up, nobody could renew.
        gap_ms = now_ms - (self._looked_ms or now_ms)
        self._looked_ms = now_ms
        if gap_ms > SILENT_MS // 4:
            for lease_id in self._renewed_ms:
                self._renewed_ms[lease_id] += gap_ms
        return Due(self._silent(now_ms), self._over(by_itself_ms)[:RELEASED_MAX])

    def pass_time(self, due: Due, commit_id: int, now_ms: int) -> None:
        """End the silent, release what the ended still hold."""
        for lease_id in due.silent:
            self._draws.end(lease_id, now_ms)
        for lease_id in due.over:
            lots = [lot for lot in self._draws.lots_of(lease_id) if lot.is_credit]
            self._supplier.take_back([(lot, lot.units) for lot in lots], commit_id, now_ms)
            self._draws.drop(lots)

    def passed(self, due: Due) -> None:
        """Note that this was committed."""
        for lease_id in due.over:
            self._forget_ended(lease_id)
            self._released.add(lease_id)

    def litter(self, now_ms: int) -> Litter:
        """What is over for good; looked for now and then only."""
        if now_ms - self._swept_ms < SWEEP_EVERY_MS:
            return Litter([], [])
        self._swept_ms = now_ms
        self._forget_silent(now_ms)
        before_ms = now_ms - CLOSED_MS
        ids = json_ids(self._open | self._ended.keys() | self._released)
        asked = self._db.ask(
            "draws_closed", Lot, lease_ids=ids, before_ms=before_ms, count=SWEPT_MAX
        )
        ids = json_ids(self._released)
        left = self._db.ask("leases_drawing", _LeaseId, lease_ids=ids, before_ms=before_ms)
        with_lots = {row.lease_id for row in left.rows()}
        closed = [*asked.rows()]
        if len(closed) == SWEPT_MAX:
            self._swept_ms = 0  # there may be more: it is looked again at once
            return Litter(closed, [])
        return Litter(closed, sorted(self._released - with_lots))

    def sweep(self, litter: Litter) -> None:
        """Forget windows that have closed, and leases that nothing is left of."""
        self._draws.drop(litter.closed)
        for lease_id in litter.empty:
            self._draws.drop_lease(lease_id)

    def _silent(self, now_ms: int) -> list[int]:
        return sorted(
            lease_id
            for lease_id in self._open
            if lease_id in self._gone
            or self._renewed_ms.setdefault(lease_id, now_ms) + SILENT_MS < now_ms
        )

    def _over(self, by_itself_ms: int) -> list[int]:
        """Ended leases whose reservations have all expired; those from before a restore have."""
        return sorted(
            lease_id
            for lease_id, lease in self._ended.items()
            if lease.ended_at_ms == LONG_AGO_MS
            or self._ended_ms.setdefault(lease_id, by_itself_ms) + lease.hold_ms + TRUST_MS
            < by_itself_ms
        )

    def _forget_ended(self, lease_id: int) -> None:
        self._ended.pop(lease_id, None)
        self._ended_ms.pop(lease_id, None)

    def _forget_silent(self, now_ms: int) -> None:
        """Forget when those have renewed who will hardly do so again."""
        for lease_id, renewed_ms in list(self._renewed_ms.items()):
            if renewed_ms + SILENT_MS < now_ms:
                del self._renewed_ms[lease_id]
        # What hung up and drew nothing, or had ended before.
        self._gone &= self._open | self._renewed_ms.keys()


class _LeaseId(NamedTuple):
    lease_id: int

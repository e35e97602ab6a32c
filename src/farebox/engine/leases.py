"""Leases: who may draw, and what becomes of what was drawn when nobody answers for it any more.

A process renews its lease a few times a second. One that hangs up or falls silent, or whose
recorder has changed, is over: a new lease is a new start. What it had drawn of a window counts as
used until the window closes. What it had drawn of credits is held for its longest reservation, and
for the moment that its process may still have trusted its memory, then returns.
"""

from __future__ import annotations

from farebox.engine.draws import Draws, Lease
from farebox.engine.supply import Supplier, is_credit

# A process trusts its memory for so long after the renewal it last began.
TRUST_MS = 900
SILENT_MS = 2_000
SWEEP_EVERY_MS = 10_000


class Leases:
    """Those of one database. `renewed` outlives a rollback: it is about the processes."""

    def __init__(self, draws: Draws, supplier: Supplier) -> None:
        self._draws = draws
        self._supplier = supplier
        self._renewed_ms: dict[int, int] = {}
        # Those whose process has hung up; that they have ended is written with the next commit.
        self._gone: set[int] = set()
        # Ended leases whose credits have returned; what they drew of windows closes with those.
        self._released: set[int] = set()
        self._looked_ms = 0
        self._swept_ms = 0

    def renew(self, lease_id: int, now_ms: int) -> None:
        """Note that a process is there."""
        self._renewed_ms[lease_id] = now_ms

    def hang_up(self, lease_id: int) -> None:
        """Note that a process has gone: whatever else it says, its lease is over."""
        self._gone.add(lease_id)

    def is_over(self, lease_id: int) -> bool:
        """Whether a lease has ended."""
        lease = self._draws.lease(lease_id)
        return lease is not None and not self._is_open(lease)

    def is_live(self, lease_id: int) -> bool:
        """Whether a process may still use what it drew by this lease."""
        lease = self._draws.lease(lease_id)
        return lease is not None and self._is_open(lease)

    def end_all(self, now_ms: int) -> None:
        """End every lease."""
        for lease in self._draws.leases():
            if lease.ended_at_ms is None:
                self._draws.end(lease.lease_id, now_ms)

    def is_due(self, now_ms: int) -> bool:
        """Whether `pass_time` has something to do."""
        # Where the recorder itself was held up, nobody could renew.
        gap_ms = now_ms - (self._looked_ms or now_ms)
        self._looked_ms = now_ms
        if gap_ms > SILENT_MS // 4:
            for lease_id in self._renewed_ms:
                self._renewed_ms[lease_id] += gap_ms
        return bool(self._silent(now_ms) or self._over(now_ms) or self._is_littered(now_ms))

    def pass_time(self, commit_id: int, now_ms: int) -> None:
        """End the silent, release what the ended still hold, forget what has closed."""
        for lease in self._silent(now_ms):
            self._draws.end(lease.lease_id, now_ms)
            self._gone.discard(lease.lease_id)
        for lease in self._over(now_ms):
            lots = [lot for lot in self._draws.lots_of(lease.lease_id) if is_credit(lot)]
            self._supplier.take_back([(lot, lot.units) for lot in lots], commit_id, now_ms)
            self._draws.drop(lots)
            self._released.add(lease.lease_id)
        if now_ms - self._swept_ms >= SWEEP_EVERY_MS:
            self._sweep(now_ms)

    def _sweep(self, now_ms: int) -> None:
        """Forget windows that have closed, and leases that nothing is left of."""
        self._swept_ms = now_ms
        self._gone.clear()
        self._forget_silent(now_ms)
        self._draws.drop(self._draws.closed(now_ms))
        for lease_id in sorted(self._released):
            if not self._draws.lots_of(lease_id):
                self._draws.drop_lease(lease_id)
                self._released.discard(lease_id)

    def _silent(self, now_ms: int) -> list[Lease]:
        return [
            lease
            for lease in self._draws.leases()
            if lease.ended_at_ms is None
            and (
                lease.lease_id in self._gone
                or self._renewed_ms.setdefault(lease.lease_id, now_ms) + SILENT_MS < now_ms
            )
        ]

    def _is_open(self, lease: Lease) -> bool:
        return lease.ended_at_ms is None and lease.lease_id not in self._gone

    def _over(self, now_ms: int) -> list[Lease]:
        """Ended leases whose reservations have all expired."""
        return [
            lease
            for lease in self._draws.leases()
            if lease.ended_at_ms is not None
            and lease.ended_at_ms + lease.hold_ms + TRUST_MS < now_ms
            and lease.lease_id not in self._released
        ]

    def _is_littered(self, now_ms: int) -> bool:
        """Whether there is something to forget; looked for now and then only."""
        if now_ms - self._swept_ms < SWEEP_EVERY_MS:
            return False
        if self._draws.closed(now_ms) or any(
            not self._draws.lots_of(lease_id) for lease_id in self._released
        ):
            return True
        self._swept_ms = now_ms
        self._forget_silent(now_ms)
        return False

    def _forget_silent(self, now_ms: int) -> None:
        """Forget when those have renewed who will hardly do so again."""
        for lease_id, renewed_ms in list(self._renewed_ms.items()):
            if renewed_ms + SILENT_MS < now_ms:
                del self._renewed_ms[lease_id]

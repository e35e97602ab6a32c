"""The teller: what processes draw, return, void and spend, inside the recorder's transactions.

A process settles what it admitted by its own lease, which is live, or by one that has ended (its
process was started anew): both are taken out of the lots that were drawn for it. So is what another
process's live lease holds, which that process is told. Only where its hold is about to expire are
its credits left to it: then the request is charged as reported usage.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from farebox.core.identity import VOID_CONTENT
from farebox.core.request import MeteredRequest
from farebox.engine.claims import Claims, Identity
from farebox.engine.draws import Draws, Lot
from farebox.engine.ends import MARGIN_MS, NOT_TAKEN, EndRow, Ends
from farebox.engine.leases import Leases
from farebox.engine.messages import Draw, Drawn, Record, Spend, Supply, Void, Voided
from farebox.engine.recalls import Recalls
from farebox.engine.supply import Supplier

# Units by workspace, lease, lot, and whether they are taken by the lease's own process.
_Units = dict[tuple[int, int, int, bool], int]


class Teller:
    """Handles the gate's messages; whoever calls commits or rolls back."""

    def __init__(
        self,
        claims: Claims,
        draws: Draws,
        supplier: Supplier,
        leases: Leases,
        recalls: Recalls,
        ends: Ends,
    ) -> None:
        self._claims = claims
        self._draws = draws
        self._supplier = supplier
        self._leases = leases
        self._recalls = recalls
        self._ends = ends

    def is_idle(self, draw: Draw) -> bool:
        """Whether a draw only renews its lease, or can't move anything."""
        if not (draw.wants or draw.returns or draw.is_last):
            return True
        lease = self._draws.lease(draw.lease_id)
        if lease is None:
            return draw.is_old or not draw.wants
        is_drawing = self._leases.is_live(lease.lease_id) and not self._draws.is_foreign(lease)
        return not (is_drawing or (draw.is_last and not lease.is_parted))

    def renewed(self, draw: Draw, now_ms: int) -> Drawn:
        """The answer to a draw that moves nothing."""
        self._leases.renew(draw.lease_id, now_ms)
        # Who has drawn by it, or wants to, and can't any more: its lease is over.
        has_use = draw.is_old or bool(draw.wants)
        is_ended = has_use and not self._leases.is_drawing(draw.lease_id)
        return self._drawn(draw, [], now_ms, is_ended=is_ended)

    def draw(self, draw: Draw, commit_id: int, now_ms: int) -> Drawn:
        """Take back what returns, then hand out what is wanted."""
        self._leases.renew(draw.lease_id, now_ms)
        if self._draws.lease(draw.lease_id) is None:
            self._draws.open(draw.lease_id, draw.hold_ms, now_ms)
        taken = (self._draws.take(draw.lease_id, lot_id, units) for lot_id, units in draw.returns)
        self._supplier.take_back([back for back in taken if back], commit_id, now_ms)
        supplies = [
            self._supplier.supply(want, draw.lease_id, commit_id, now_ms) for want in draw.wants
        ]
        if draw.is_last:
            self._part(draw.lease_id, now_ms)
        return self._drawn(draw, supplies, now_ms, is_ended=draw.is_last)

    def void(self, void: Void, commit_id: int, now_ms: int) -> Voided:
        """Use a reservation's identity up; what an ended lease held for it returns."""
        claim = Identity(void.profile_id, void.identity, VOID_CONTENT)
        claimed = self._claims.claim([claim])
        if not claimed.fresh:
            was_voided = bool(claimed.duplicates)
            is_taken = bool(self._ends.ended([claim[:2]]))
            return Voided(void.call_id, was_voided, not was_voided, is_taken=is_taken)
        is_over = not self._leases.is_live(void.spend.lease_id)
        if is_over:
            back = self._taken(void.spend, void.profile_id, is_whole=True)
            self._supplier.take_back(back, commit_id, now_ms)
        elif void.spend.lease_id != void.lease_id:
            back = self._taken_elsewhere(void.spend, void.profile_id, void.identity, now_ms)
            self._supplier.take_back(back, commit_id, now_ms)
        return Voided(void.call_id, was_voided=False, was_settled=False, is_returned=is_over)

    def spend(
        self, records: Iterable[Record], fresh: Sequence[MeteredRequest], now_ms: int
    ) -> dict[int, dict[int, int]]:
        """Move what requests were admitted by from drawn to used.

        What is to be charged to drawn credits: micro-credits by workspace and grant.
        """
        amounts: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        spends = {s.query_log_id: (s, r.lease_id) for r in records for s in r.spends}
        if not spends:
            return amounts
        # Each lot is taken from once, however many rows were admitted by it.
        units_of: _Units = defaultdict(int)
        taken: list[tuple[Lot, int]] = []
        for row in fresh:
            spend, sender = spends.get(row.query_log_id, (None, 0))
            if spend is None:
                continue
            is_own = spend.lease_id == sender
            if is_own or not self._leases.is_live(spend.lease_id):
                for lot_id, units in spend.pieces:
                    units_of[row.profile_id, spend.lease_id, lot_id, is_own] += units
            else:
                # In the order of the rows: a lot may hold less than is asked of it.
                taken += self._take_out(units_of)
                units_of.clear()
                taken += self._taken_elsewhere(spend, row.profile_id, row.identity, now_ms)
        taken += self._take_out(units_of)
        for lot, units in taken:
            if lot.name == "credits" and units:
                amounts[lot.profile_id][int(lot.scope)] += units
        return amounts

    def _drawn(self, draw: Draw, supplies: list[Supply], now_ms: int, *, is_ended: bool) -> Drawn:
        recalled = self._recalls.told(draw.lease_id, now_ms)
        ended = self._ends.tell(draw.lease_id)
        return Drawn(draw.call_id, now_ms, supplies, is_ended, recalled, ended)

    def _taken_elsewhere(
        self, spend: Spend, profile_id: int, identity: bytes, now_ms: int
    ) -> list[tuple[Lot, int]]:
        """Take a spend out of what another process's live lease holds, and have it told."""
        is_whole = not spend.expires_ms or spend.expires_ms - now_ms > MARGIN_MS
        taken = self._taken(spend, profile_id, is_whole=is_whole)
        taken_micro = sum(units for lot, units in taken if lot.name == "credits")
        row = EndRow(
            spend.lease_id,
            spend.number,
            taken_micro if is_whole else NOT_TAKEN,
            profile_id,
            identity,
        )
        self._ends.add(row)
        return taken

    def _part(self, lease_id: int, now_ms: int) -> None:
        """End a lease whose process has told what it had left, unless it is over already."""
        lease = self._draws.lease(lease_id)
        if lease is not None and lease.ended_at_ms is None:
            self._draws.end(lease_id, now_ms)
        self._draws.part(lease_id)

    def _taken(self, spend: Spend, profile_id: int, *, is_whole: bool) -> list[tuple[Lot, int]]:
        """Take a spend out of what another process held, or only its units of windows."""
        units_of: _Units = defaultdict(int)
        for lot_id, units in spend.pieces:
            if is_whole or not self._draws.is_credit(spend.lease_id, lot_id):
                units_of[profile_id, spend.lease_id, lot_id, False] += units
        return self._take_out(units_of)

    def _take_out(self, units_of: _Units) -> list[tuple[Lot, int]]:
        found = []
        for (profile_id, lease_id, lot_id, is_own), units in units_of.items():
            taken = self._draws.take(lease_id, lot_id, units, is_own=is_own)
            if taken is not None:
                assert taken[0].profile_id == profile_id
                found.append(taken)
        return found

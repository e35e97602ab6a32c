"""Reservations: what a hold is to those outside, as a sealed token that says what it holds.

So it can be settled after the process that made it is gone, and nobody can make one up. It tells
its reader no secret. One that is not signed by this program is no reservation.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from farebox.core.errors import INVALID_RESERVATION
from farebox.core.request import Channel
from farebox.engine.holds import Hold
from farebox.engine.messages import Spend
from farebox.engine.seal import Seal

PREFIX = "rsv_"
PURPOSE = "reservations"


class Reservation(msgspec.Struct, array_like=True, frozen=True):
    """An admitted request, as its token says.

    `windows` are lots that it took one unit of each from, `fine` likewise of seconds and minutes;
    `grants` are (lot_id, micro-credits), `cap_lot_id` is 0 without a cap. `expires_ms` is 0 for one
    that does not expire.
    """

    number: int
    lease_id: int
    profile_id: int
    key_id: str
    log_type_id: int
    channel: Channel
    time_ms: int
    expires_ms: int
    held_micro: int
    identity: bytes
    windows: tuple[int, ...]
    fine: tuple[int, ...]
    cap_lot_id: int
    grants: list[tuple[int, int]]

    @classmethod
    def of(cls, hold: Hold) -> Reservation:
        """That of a hold."""
        ask = hold.ask
        return cls(
            hold.number,
            hold.lease_id,
            ask.profile_id,
            ask.key_id,
            ask.log_type_id,
            ask.channel,
            hold.time_ms,
            hold.expires_ms or 0,
            ask.hold_micro,
            ask.identity,
            hold.lots.windows,
            hold.lots.fine,
            0 if hold.cap is None else hold.cap.lot_id,
            [(stock.lot_id, micro) for stock, micro in hold.pieces],
        )

    def is_expired(self, now_ms: int) -> bool:
        """Whether what it held is free again."""
        return bool(self.expires_ms) and self.expires_ms <= now_ms

    def spend(self, charged_micro: int, query_log_id: bytes) -> Spend:
        """What its settlement takes of what was drawn; the rest of it is not used."""
        pieces = [(lot_id, 1) for lot_id in self.windows]
        if self.cap_lot_id and charged_micro:
            pieces.append((self.cap_lot_id, min(charged_micro, self.held_micro)))
        rest_micro = charged_micro
        for lot_id, micro in self.grants:
            taken_micro = min(rest_micro, micro)
            if taken_micro:
                pieces.append((lot_id, taken_micro))
                rest_micro -= taken_micro
        return Spend(query_log_id, self.lease_id, tuple(pieces), self.number, self.expires_ms)

    def unspent(self, *, is_late: bool) -> Spend:
        """What its void gives back, where its lease has ended.

        What one that has expired held of credits may be held for somebody else since.
        """
        pieces = [(lot_id, 1) for lot_id in (*self.windows, *self.fine)]
        if is_late:
            return self._void(pieces)
        if self.cap_lot_id:
            pieces.append((self.cap_lot_id, self.held_micro))
        return self._void([*pieces, *self.grants])

    def _void(self, pieces: list[tuple[int, int]]) -> Spend:
        return Spend(b"", self.lease_id, tuple(pieces), self.number, self.expires_ms)


def reservation_seal(derive: Callable[[str], bytes]) -> Seal[Reservation]:
    """What signs reservations; `derive` gives the secret for a purpose."""
    return Seal(Reservation, PREFIX, PURPOSE, derive, wrong=INVALID_RESERVATION)

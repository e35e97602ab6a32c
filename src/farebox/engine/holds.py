"""Holds: the reservations of one process, from their admission to their one end.

A hold names the stocks that it was taken from. It ends by being settled, voided, or by its time:
expiry is looked at when the next decision is made, and needs no sweeper. While its end is on the
way to the recorder it no longer expires.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from farebox.core.ledger import NEVER_MS
from farebox.core.request import Channel
from farebox.engine.stocks import GrantStock, Lots, Stock, Wallet

NO_LOTS = Lots((), ())
# So many that have ended may wait for their time beside as many that have not.
ENDED_MAX = 1_000


class Ask(NamedTuple):
    """A request that wants to be admitted.

    `scope` is whose requests count with it: a user's, or empty for the whole workspace.
    `hold_micro` is the most it may cost. `family_id` is empty where its key has no cap.
    `change_id` is how much of the terms the caller knew. `identity` is the request's; a caller who
    chose it may come again with it, `fingerprint` tells whether that is the same request.
    """

    profile_id: int
    key_id: str
    user_id: str
    scope: str
    channel: Channel
    log_type_id: int
    hold_micro: int
    family_id: str
    change_id: int
    identity: bytes
    fingerprint: bytes | None = None
    expires_after_ms: int | None = None


class Hold:
    """What one admitted request has taken. `ending` counts the ends that are on their way."""

    __slots__ = (
        "ask",
        "cap",
        "ending",
        "expires_ms",
        "is_open",
        "lease_id",
        "lots",
        "number",
        "pieces",
        "stocks",
        "time_ms",
        "wallet",
    )

    def __init__(self, ask: Ask, number: int, lease_id: int, time_ms: int) -> None:
        self.ask = ask
        self.number = number
        self.lease_id = lease_id
        self.time_ms = time_ms
        after_ms = ask.expires_after_ms
        self.expires_ms = None if after_ms is None else time_ms + after_ms
        self.stocks: tuple[Stock, ...] = ()
        self.lots = NO_LOTS
        self.cap: Stock | None = None
        self.pieces: list[tuple[GrantStock, int]] = []
        self.wallet: Wallet | None = None
        self.ending = 0
        self.is_open = True


class Holds:
    """All holds of a process that have not ended."""

    def __init__(self) -> None:
        self._by_number: dict[int, Hold] = {}
        self._by_identity: dict[tuple[int, bytes], Hold] = {}
        self._expiring: deque[Hold] = deque()
        self.next_expiry_ms = NEVER_MS

    def __len__(self) -> int:
        return len(self._by_number)

    def add(self, hold: Hold) -> None:
        """Keep a new hold. All that expire do so after the same time."""
        self._by_number[hold.number] = hold
        if hold.ask.fingerprint is not None:
            self._by_identity[hold.ask.profile_id, hold.ask.identity] = hold
        if hold.expires_ms is not None:
            if len(self._expiring) > 2 * len(self._by_number) + ENDED_MAX:
                self._expiring = deque(filter(self.has, self._expiring))
            self._expiring.append(hold)
            self.next_expiry_ms = min(self.next_expiry_ms, hold.expires_ms)

    def of_identity(self, profile_id: int, identity: bytes) -> Hold | None:
        """The hold that was made under an id that its caller chose."""
        return self._by_identity.get((profile_id, identity))

    def of_number(self, number: int) -> Hold | None:
        """An open hold."""
        hold = self._by_number.get(number)
        return hold if hold is not None and hold.is_open else None

    def has(self, hold: Hold) -> bool:
        """Whether a hold is kept here: its time is not over, or nobody has looked since."""
        return self._by_number.get(hold.number) is hold

    def close(self, hold: Hold) -> None:
        """End a hold. One that a caller may ask for again is remembered until its time."""
        hold.is_open = False
        if hold.expires_ms is None or hold.ask.fingerprint is None:
            self._forget(hold)

    def expired(self, now_ms: int) -> list[Hold]:
        """Take out the holds whose time is over; those that had not ended."""
        expired = []
        while self._expiring and (self._expiring[0].expires_ms or 0) <= now_ms:
            hold = self._expiring.popleft()
            self._forget(hold)
            if hold.is_open and not hold.ending:
                hold.is_open = False
                expired.append(hold)
        first = self._expiring[0].expires_ms if self._expiring else None
        self.next_expiry_ms = NEVER_MS if first is None else first
        return expired

    def step_back(self, step_ms: int) -> None:
        """Have all end when they would have, by a clock that is set back."""
        for hold in self._expiring:
            if hold.expires_ms is not None:
                hold.expires_ms -= step_ms
        if self._expiring:
            self.next_expiry_ms -= step_ms

    def _forget(self, hold: Hold) -> None:
        self._by_number.pop(hold.number, None)
        place = (hold.ask.profile_id, hold.ask.identity)
        if self._by_identity.get(place) is hold:
            del self._by_identity[place]

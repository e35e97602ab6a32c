"""Claims: what the reference knows of one admitted request."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from farebox.core.request import Channel
from farebox.engine.reservation import Reservation

FINE = frozenset({"second", "minute"})


class State(Enum):
    """Where an admitted request is: each ends in one way.

    `GONE` is what was voided or never used: it has given back all that it had.
    """

    OPEN = auto()
    EXPIRED = auto()
    SETTLED = auto()
    GONE = auto()


@dataclass(eq=False)
class Claim:
    """An admitted request. `covers` are the windows that were limited when it was admitted.

    A claim in limbo may or may not still be held where it was drawn: its owner has not heard how
    it ended, or it was ended elsewhere.
    """

    owner: int
    reservation: Reservation
    token: str
    user_id: str
    family_id: str
    scope: str
    covers: frozenset[str]
    is_capped: bool
    request_id: str | None
    asked: tuple[object, ...]
    grants: dict[int, int]
    ends_steady_ms: int
    state: State = State.OPEN
    is_limbo: bool = False
    charged_micro: int = 0
    reported_micro: int = 0
    is_taken: bool = False
    content: bytes = b""
    lots_until_ms: dict[int, int] = field(default_factory=dict)

    @property
    def profile_id(self) -> int:
        return self.reservation.profile_id

    @property
    def lease_id(self) -> int:
        return self.reservation.lease_id

    @property
    def time_ms(self) -> int:
        return self.reservation.time_ms

    @property
    def channel(self) -> Channel:
        return self.reservation.channel

    @property
    def held_micro(self) -> int:
        return self.reservation.held_micro

    @property
    def identity(self) -> tuple[int, bytes]:
        return (self.reservation.profile_id, self.reservation.identity)

    @property
    def is_held(self) -> bool:
        """Whether it surely still holds credits."""
        return self.state is State.OPEN and not self.is_limbo

    def has_unit(self, name: str, scope: str) -> bool:
        """Whether it was admitted by a unit of this window that counts for this scope.

        Who shares a quota may have changed since: what one user drew is the whole workspace's too,
        and what was drawn for that may be any user's.
        """
        return name in self.covers and (not scope or self.scope in ("", scope))

    def counts(self, name: str, scope: str) -> bool:
        """Whether it surely counts against a window that its time lies in."""
        if self.state is State.SETTLED and name not in FINE:
            return scope in ("", self.user_id)
        if self.state is State.GONE or (self.is_limbo and self.state is not State.SETTLED):
            return False
        return self.has_unit(name, scope)

    def is_drawn(self, name: str, scope: str) -> bool:
        """Whether its unit surely is among those that are drawn."""
        if not self.has_unit(name, scope) or self.is_limbo or self.state is State.GONE:
            return False
        return self.state is not State.SETTLED or name in FINE

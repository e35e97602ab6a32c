"""What a process knows that draws by hand: its lease, what is free of it, and what it holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from farebox.core.request import MeteredRequest
from farebox.engine.messages import Spend
from farebox.engine.telling import HeldHere, Telling
from farebox.service.credits_now import credits_now
from tests.support.nodes import HOLD_MS, Node

PROFILE_IDS = (1, 2, 3)


class Lot(NamedTuple):
    """What a process knows of a lot."""

    profile_id: int
    lot_id: int
    name: str
    start_ms: int
    end_ms: int | None

    def is_open(self, now_ms: int) -> bool:
        """Whether it may be taken from."""
        return self.start_ms <= now_ms and (self.end_ms is None or now_ms < self.end_ms)


@dataclass
class Hold:
    """A reservation, with what it took."""

    number: int
    lease_id: int
    row: MeteredRequest
    taken: list[tuple[Lot, int]]
    is_open: bool = True
    is_settled: bool = False

    @property
    def micro(self) -> int:
        """Its credits."""
        return sum(units for lot, units in self.taken if lot.name == "credits")

    @property
    def expires_ms(self) -> int:
        """When what it holds may be another's."""
        return self.row.time_ms + HOLD_MS

    def spend(self) -> Spend:
        """What it says that it takes."""
        pieces = tuple((lot.lot_id, units) for lot, units in self.taken)
        return Spend(self.row.query_log_id, self.lease_id, pieces, self.number, self.expires_ms)


@dataclass
class Process:
    """What a gate knows."""

    node: Node
    lease_id: int
    trusted_until_ms: int = 0
    is_old: bool = False
    free: Counter[Lot] = field(default_factory=Counter)
    returns: Counter[int] = field(default_factory=Counter)
    telling: Telling = field(default_factory=Telling)

    @property
    def now_ms(self) -> int:
        """By its node's clock."""
        return self.node.now_ms

    def holdings(self, holds: Iterable[Hold]) -> list[tuple[int, int]]:
        """What it holds of each workspace's credits."""
        held = dict.fromkeys(PROFILE_IDS, 0)
        for hold in holds:
            if hold.is_open and hold.lease_id == self.lease_id and hold.expires_ms > self.now_ms:
                held[hold.row.profile_id] += hold.micro
        return list(held.items())

    def left(self, profile_id: int, own_micro: int) -> int:
        """The micro-credits that it tells to be left."""
        held = HeldHere(own_micro + self.telling.elsewhere_micro(profile_id), self.node.node_id)
        now = credits_now(self.node.reader, profile_id, self.now_ms, lambda _: held)
        return now.left_micro(self.now_ms)

"""What a process knows that draws by hand: its lease, what is free of it, and what it holds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from farebox.core.request import MeteredRequest
from farebox.engine.messages import Spend
from tests.support.nodes import HOLD_MS, Node


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

    @property
    def now_ms(self) -> int:
        """By its node's clock."""
        return self.node.now_ms

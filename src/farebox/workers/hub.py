"""The hub: what the workers have counted, together; those that have gone are counted on.

A counter must not run back when a worker is replaced. What a worker had counted up to its last word
stays in the sum; its gauges go with it.
"""

from __future__ import annotations

from collections.abc import Sequence

from farebox.service.metrics import Metrics
from farebox.service.numbers import Number, numbers_of, total


class Hub:
    """Numbers by worker."""

    def __init__(self) -> None:
        self._here: dict[int, Sequence[Number]] = {}
        self._gone: list[Number] = []
        self._own = Metrics()

    def tell(self, worker_id: int, numbers: Sequence[Number]) -> None:
        """Keep what a worker says now."""
        self._here[worker_id] = numbers

    def leave(self, worker_id: int, *, is_replaced: bool) -> None:
        """Count on what a worker that has ended had counted."""
        last = self._here.pop(worker_id, ())
        self._gone = total([self._gone, [number for number in last if number.is_counted]])
        if is_replaced:
            self._own.count("farebox_worker_restarts_total")

    def total(self) -> list[Number]:
        """The numbers of all."""
        own = [number for number in numbers_of(self._own.registry) if number.is_counted]
        return total([*self._here.values(), self._gone, own])

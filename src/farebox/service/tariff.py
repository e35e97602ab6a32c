"""The tariff: what a call costs a workspace at an instant, and what is held for it, from memory.

A schedule is worked out once for a workspace and log type, and kept until the directory changes:
every instant at which a price or a plan begins, and the price from there. Any thread may ask: what
is kept belongs to one state of the directory, and is replaced whole with it.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from farebox.core.log_type import Price
from farebox.core.request import UNMAPPED
from farebox.core.workspace import Workspace
from farebox.engine.directory import Directory

FREE = Price(0, 0, 0)
_Schedule = tuple[list[int], list[Price]]


class _Kept(NamedTuple):
    """What was worked out of one state of the directory."""

    change_id: int
    schedules: dict[tuple[int, int], _Schedule]


class Tariff:
    """Of one process."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._kept = _Kept(-1, {})

    def price(self, workspace: Workspace, log_type_id: int, time_ms: int) -> Price:
        """The price valid at an instant; nothing for an unmapped call."""
        if log_type_id == UNMAPPED:
            return FREE
        starts, prices = self._schedule(workspace, log_type_id)
        return prices[max(0, bisect_right(starts, time_ms) - 1)]

    def next_ms(self, workspace: Workspace, log_type_id: int, time_ms: int) -> int | None:
        """When the price after that begins; None when none is known."""
        if log_type_id == UNMAPPED:
            return None
        starts, _ = self._schedule(workspace, log_type_id)
        index = bisect_right(starts, time_ms)
        return starts[index] if index < len(starts) else None

    def _schedule(self, workspace: Workspace, log_type_id: int) -> _Schedule:
        kept, change_id = self._kept, self._directory.change_id
        if kept.change_id != change_id:
            kept = self._kept = _Kept(change_id, {})
        key = (workspace.profile_id, log_type_id)
        schedule = kept.schedules.get(key)
        if schedule is None:
            # The caller may have found its workspace before the directory changed.
            workspace = self._directory.workspaces.get(workspace.profile_id, workspace)
            schedule = kept.schedules[key] = self._worked_out(workspace, log_type_id)
        return schedule

    def _worked_out(self, workspace: Workspace, log_type_id: int) -> _Schedule:
        log_type = self._directory.log_types[log_type_id]
        starts = {0, *(from_ms for from_ms, _ in workspace.plans)}
        starts |= {price.valid_from_ms for price in log_type.prices}
        for _, plan_id in workspace.plans:
            prices = self._directory.plans[plan_id].prices.get(log_type_id, ())
            starts |= {price.valid_from_ms for price in prices}
        ordered = sorted(starts)
        return ordered, [self._directory.price(workspace, log_type_id, at) for at in ordered]

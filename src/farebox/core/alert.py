"""Alerts: thresholds, in percent of a limit, that tell once a window when they are reached."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

AlertKind = Literal["credits", "hour", "day", "month"]
AlertChannel = Literal["api", "portal"]
THRESHOLD_MAX = 1_000
THRESHOLDS_MAX = 10
PERCENT = 100


def are_thresholds(thresholds: Sequence[int]) -> bool:
    """Whether these can be the thresholds of an alert: some, in bounds, each above the last."""
    return (
        1 <= len(thresholds) <= THRESHOLDS_MAX
        and all(1 <= threshold <= THRESHOLD_MAX for threshold in thresholds)
        and all(a < b for a, b in pairwise(thresholds))
    )


def reached(thresholds: Sequence[int], used: int, limit: int | None) -> list[int]:
    """Those of the thresholds that a use has reached; `used` and `limit` in the same unit.

    Without a limit there is none. Where nothing is allowed the first use reaches all of them.
    """
    if limit is None or used <= 0:
        return []
    return [threshold for threshold in thresholds if used * PERCENT >= threshold * limit]

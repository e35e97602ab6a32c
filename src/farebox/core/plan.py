"""Plans: what a workspace may do and what it is given each period.

A limit of None is no limit, 0 allows nothing. Limits are for one licence; a workspace's are
multiplied by its licences (seed: profile_usage).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from farebox.core.log_type import LogType, Price, price_at

Unmapped = Literal["allow", "deny"]


class WindowLimits(NamedTuple):
    """Requests of one channel for each window; None is no limit."""

    hour: int | None
    day: int | None
    month: int | None


class Plan(NamedTuple):
    """`prices` overrides the log types' own, by log type id.

    What the limits and credits of a plan that `is_shadow` would refuse is let through and counted.
    """

    plan_id: int
    slug: str
    name: str
    credits_per_month_micro: int
    api: WindowLimits
    portal: WindowLimits
    requests_per_minute: int | None
    requests_per_second: int | None
    is_api_access_available: bool
    is_quota_sharing_available: bool
    unmapped: Unmapped
    is_shadow: bool
    prices: dict[int, tuple[Price, ...]]

    def price(self, log_type: LogType, time_ms: int) -> Price:
        """What a call of a log type costs at an instant under this plan.

        A plan's own price counts from its first instant; before that the log type's does.
        """
        own = [p for p in self.prices.get(log_type.log_type_id, ()) if p.valid_from_ms <= time_ms]
        found = price_at(own, time_ms) or price_at(log_type.prices, time_ms)
        return found or Price(0, 0, 0)


def licensed(limit: int | None, licences: int) -> int | None:
    """A limit for all licences together."""
    return None if limit is None else limit * licences

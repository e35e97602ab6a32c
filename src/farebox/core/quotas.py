"""Quotas: what a workspace has left of the credits of its current period (seed: quotas).

Left and used make the maximum, unless credits are held or overdrawn, or the rounding of the
maximum shows.
"""

from __future__ import annotations

from typing import NamedTuple

from farebox.core.credits import ceil_whole
from farebox.core.instant import MS_PER_SECOND


class PeriodSums(NamedTuple):
    """A billing period and what moved in it, in micro-credits.

    `opening_micro` is below 0 when overdrawn; `expired_micro` expired unspent; `corrected_micro` is
    what corrections charged less what they gave back.
    """

    start_ms: int
    end_ms: int
    opening_micro: int
    granted_micro: int
    expired_micro: int
    charged_micro: int
    corrected_micro: int


class Quotas(NamedTuple):
    """The eight facts. `credits_max` is in whole credits; the last instant is a second's start."""

    name: str
    uid: str
    credits_left_micro: int
    credits_max: int
    credits_used_micro: int
    plan_name: str | None
    current_month_start_ms: int
    current_month_last_ms: int


def quotas(
    name: str, uid: str, plan_name: str | None, period: PeriodSums, balance_micro: int
) -> Quotas:
    """The quotas of a workspace; `balance_micro` is what it can spend, below 0 when overdrawn."""
    used_micro = period.charged_micro + period.corrected_micro
    given_micro = max(0, period.opening_micro) + period.granted_micro - period.expired_micro
    # More was given back than was charged: what is given back of former periods is given anew.
    given_micro += max(0, -used_micro)
    return Quotas(
        name=name,
        uid=uid,
        credits_left_micro=max(0, balance_micro),
        credits_max=max(0, ceil_whole(given_micro)),
        credits_used_micro=max(0, used_micro),
        plan_name=plan_name,
        current_month_start_ms=period.start_ms,
        current_month_last_ms=period.end_ms - MS_PER_SECOND,
    )

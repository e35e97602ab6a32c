"""The forecast: when the credits run out if use goes on at its present pace.

The rule, so that anyone can check it by hand:

1. The pace is what the last 7 whole days cost, divided by 7; days without use count. A workspace
   that is in use for fewer days has them instead of the 7, and needs 3 at least.
2. From now on that much is spent, evenly, from what can be spent: what expires first goes first,
   and what is left of it when it expires is lost.
3. At the end of the period the plan's credits of the next one are added.

The answer is the instant at which nothing would be left, if that is before the end of this period
or of the next; "lasts" when this period ends before. Nothing else that may happen is counted: no
grant or automatic top-up that isn't there yet, no price that changes. Everything is in whole
numbers: amounts are scaled by the length of the pace, so that a millisecond spends one of them
exactly.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from farebox.core.instant import MS_PER_DAY
from farebox.core.ledger import NEVER_MS, Purse

PACE_DAYS = 7
PACE_DAYS_MIN = 3

Outcome = Literal["runs_out", "lasts", "unknown"]


class Pace(NamedTuple):
    """What some whole days cost; `days` is above 0."""

    credits_micro: int
    days: int

    @property
    def a_day_micro(self) -> int:
        """Micro-credits of an average day, cut."""
        return self.credits_micro // self.days


class Refill(NamedTuple):
    """The plan's credits that come at the end of the open period, and end with the next one."""

    at_ms: int
    end_ms: int
    credits_micro: int


class Forecast(NamedTuple):
    """What is to be expected.

    `outcome` is "runs_out" when that happens in the open period, "lasts" when it doesn't, and
    "unknown" without enough use to tell. `runs_out_ms` is the instant, and may also be there of
    what lasts: then it lies in the next period. `pace` is what was counted with, if anything.
    """

    outcome: Outcome
    runs_out_ms: int | None
    period_end_ms: int
    pace: Pace | None


class _Part(NamedTuple):
    """Credits that end together, in parts of a micro-credit."""

    ends_ms: int
    left: int


def forecast(
    purse: Purse, held_micro: int, now_ms: int, refill: Refill, pace: Pace | None
) -> Forecast:
    """When a purse is empty.

    Args:
        purse: what can be spent at `now_ms`; what is drawn counts.
        held_micro: what reservations hold: counted as spent.
        now_ms: the instant from which on is spent.
        refill: what comes at the end of the open period, which is after `now_ms`.
        pace: None when there is not enough use to tell.
    """
    assert refill.at_ms > now_ms
    if pace is None or pace.credits_micro == 0:
        return Forecast("unknown", None, refill.at_ms, None)
    assert pace.credits_micro > 0
    runs_out_ms = _runs_out_ms(purse, held_micro, now_ms, refill, pace)
    is_near = runs_out_ms is not None and runs_out_ms < refill.at_ms
    return Forecast("runs_out" if is_near else "lasts", runs_out_ms, refill.at_ms, pace)


def _runs_out_ms(
    purse: Purse, held_micro: int, now_ms: int, refill: Refill, pace: Pace
) -> int | None:
    """The instant, looked for until the end of the next period."""
    # In this scale `pace.credits_micro` is what one millisecond spends.
    scale = pace.days * MS_PER_DAY
    parts = sorted(
        _Part(grant.expires_at_ms or NEVER_MS, (grant.left_micro + grant.drawn_micro) * scale)
        for grant in purse.grants
        if grant.is_live(now_ms)
    )
    # What is owed or held is gone before time passes.
    parts = _spent(parts, (purse.owed_micro + held_micro) * scale)
    at_ms = now_ms
    for stop_ms in (refill.at_ms, refill.end_ms):
        while at_ms < stop_ms:
            left = sum(part.left for part in parts)
            until_ms = min([stop_ms, *(part.ends_ms for part in parts)])
            wanted = (until_ms - at_ms) * pace.credits_micro
            if left == 0 or left < wanted:
                return at_ms + left // pace.credits_micro
            parts = [p for p in _spent(parts, wanted) if p.ends_ms > until_ms]
            at_ms = until_ms
        parts = sorted([*parts, _Part(refill.end_ms, refill.credits_micro * scale)])
    return None


def _spent(parts: list[_Part], amount: int) -> list[_Part]:
    """What is left of parts after an amount was taken, in their order."""
    kept = []
    for part in parts:
        taken = min(part.left, amount)
        amount -= taken
        if part.left > taken:
            kept.append(part._replace(left=part.left - taken))
    return kept

"""Attention: the workspaces that somebody should look at, the worst first."""

from __future__ import annotations

from typing import NamedTuple

from farebox.core.calendar import QUARTER_MS
from farebox.core.instant import MS_PER_DAY
from farebox.core.workspace import Status
from farebox.store.contract import Reader

COUNT_DEFAULT = 10
# A tenth of the period's credits.
LOW_SHARE = 10


class Attention(NamedTuple):
    """A workspace that owes, runs short of credits, is refused calls, or is suspended.

    `left_micro` and `given_micro` are the open period's by the book; null before the first.
    `refusals` are those of the last 24 hours, to the quarter hour.
    """

    profile_id: int
    name: str
    status: Status
    owed_micro: int
    left_micro: int | None
    given_micro: int | None
    refusals: int

    @property
    def is_low(self) -> bool:
        """Whether a tenth of the period's credits is left, or less."""
        given_micro, left_micro = self.given_micro or 0, self.left_micro or 0
        return given_micro > 0 and left_micro * LOW_SHARE <= given_micro


def list_attention(reader: Reader, now_ms: int, count: int = COUNT_DEFAULT) -> list[Attention]:
    """So many at most: first who owes most, then who runs short, then who is refused most."""
    first_quarter = (now_ms - MS_PER_DAY) // QUARTER_MS
    return reader.rows("attention", Attention, first_quarter=first_quarter, count=count)

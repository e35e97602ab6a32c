"""A refusal: a call that was not admitted, and the tally of many.

A refused call is no request: it is in no log, no report and no quota, only counted here. A tally is
a sum by workspace, quarter hour, key and reason, so it costs the same however many calls it counts,
and the order of calls changes nothing. It refuses more kinds than it has room for.
"""

from __future__ import annotations

from itertools import starmap
from typing import NamedTuple

from farebox.core.admission import LimitState
from farebox.core.calendar import QUARTER_MS
from farebox.core.request import Channel

# Of a call without a known key there is no workspace to tell, and no key.
NO_WORKSPACE = 0
NO_KEY = ""


class Refusal(NamedTuple):
    """A refused call, with all that decided over it.

    `denied_by` is the reason: a limit's name, or what else refused. `limits` are those that were
    looked at. `retry_at_ms` is when it is worth another try, None when time alone changes nothing.
    With `is_shadow` the call was let through all the same, since its plan only counts.
    """

    profile_id: int
    key_id: str
    time_ms: int
    status: int
    code: int
    denied_by: str
    log_type_id: int
    channel: Channel
    method: str | None
    path: str | None
    ip: str | None
    limits: tuple[LimitState, ...]
    retry_at_ms: int | None
    is_shadow: bool


class RefusalSum(NamedTuple):
    """How many calls of a key were refused for a reason in a quarter hour, and when last."""

    profile_id: int
    quarter: int
    key_id: str
    denied_by: str
    is_shadow: bool
    refusals: int
    last_ms: int


class RefusalTally:
    """Sums of refusals, at most `sums_max` of them."""

    def __init__(self, sums_max: int) -> None:
        self._sums_max = sums_max
        self._sums: dict[tuple[int, int, str, str, bool], list[int]] = {}

    def __len__(self) -> int:
        return len(self._sums)

    def add(self, refusal: Refusal) -> bool:
        """Count a refusal; False when it needs a sum for which there is no room."""
        time_ms = refusal.time_ms
        kind = (
            refusal.profile_id,
            time_ms // QUARTER_MS,
            refusal.key_id,
            refusal.denied_by,
            refusal.is_shadow,
        )
        found = self._sums.get(kind)
        if found is not None:
            found[0] += 1
            found[1] = max(found[1], time_ms)
            return True
        if len(self._sums) >= self._sums_max:
            return False
        self._sums[kind] = [1, time_ms]
        return True

    def sums(self) -> list[RefusalSum]:
        """All sums, in the order of their keys in the store."""
        return sorted(starmap(_sum, self._sums.items()))


def _sum(kind: tuple[int, int, str, str, bool], counted: list[int]) -> RefusalSum:
    refusals, last_ms = counted
    return RefusalSum(*kind, refusals, last_ms)

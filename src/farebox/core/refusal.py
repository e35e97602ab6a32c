"""A refusal: a call that was not admitted, the tally of many, and the newest of them.

A refused call is no request: it is in no log, no report and no quota, only counted here. A tally is
a sum by workspace, quarter hour, key and reason, so it costs the same however many calls it counts,
and the order of calls changes nothing. It refuses more kinds than it has room for.
"""

from __future__ import annotations

from collections import deque
from itertools import chain, starmap
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


class NewestRefusals:
    """The newest refusals of each workspace: as many as are kept of one, and a bound over all.

    When there is no room, each workspace keeps the newer half of its own: a flood takes from
    itself first, and a workspace with one refusal keeps it. Where that makes little room, since
    there are so many workspaces, each has what it has, and a new one gets nothing until all leave.
    """

    def __init__(self, of_workspace_max: int, refusals_max: int) -> None:
        self._of_workspace_max = of_workspace_max
        self._refusals_max = refusals_max
        self._of_workspace: dict[int, deque[Refusal]] = {}
        self._count = 0
        self._is_shared_out = False

    def __len__(self) -> int:
        return self._count

    def add(self, refusal: Refusal) -> None:
        """Keep a refusal, perhaps in the place of an older one."""
        own = self._of_workspace.get(refusal.profile_id)
        if own is not None and len(own) == self._of_workspace_max:
            own.append(refusal)
            return
        if self._count >= self._refusals_max:
            self._make_room()
            if self._count >= self._refusals_max:
                if own is not None:
                    own.popleft()
                    own.append(refusal)
                return
        if own is None:
            own = self._of_workspace[refusal.profile_id] = deque(maxlen=self._of_workspace_max)
        own.append(refusal)
        self._count += 1

    def take(self) -> list[Refusal]:
        """All of them, in the order of time; then there are none."""
        taken = sorted(chain.from_iterable(self._of_workspace.values()), key=_time_ms)
        self._of_workspace = {}
        self._count = 0
        self._is_shared_out = False
        return taken

    def _make_room(self) -> None:
        """Halve what each has, which takes long: so only if much room was made the last time."""
        if self._is_shared_out:
            return
        for own in self._of_workspace.values():
            for _ in range(len(own) // 2):
                own.popleft()
        self._count = sum(map(len, self._of_workspace.values()))
        self._is_shared_out = self._count * 4 > self._refusals_max * 3


def _sum(kind: tuple[int, int, str, str, bool], counted: list[int]) -> RefusalSum:
    refusals, last_ms = counted
    return RefusalSum(*kind, refusals, last_ms)


def _time_ms(refusal: Refusal) -> int:
    return refusal.time_ms

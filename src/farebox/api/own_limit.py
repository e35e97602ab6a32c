"""The customer endpoints' own limit: calls a minute of each workspace, in fixed windows.

It is counted in memory, for each process on its own: it protects the program, it sells nothing.
"""

from __future__ import annotations

from farebox.core.errors import RATE_LIMITED, FareboxError
from farebox.core.instant import MS_PER_MINUTE, MS_PER_SECOND


class OwnLimit:
    """`take` counts a call, or refuses it when the workspace's minute is full."""

    def __init__(self, calls_per_minute: int) -> None:
        self._calls_per_minute = calls_per_minute
        self._minute = -1
        self._calls: dict[int, int] = {}

    def take(self, profile_id: int, now_ms: int) -> None:
        """Count one call of a workspace.

        Raises:
            FareboxError: 429, to be tried again when the next minute begins.
        """
        minute = now_ms // MS_PER_MINUTE
        # A call that was kept waiting over the turn of a minute counts to the new one.
        if minute > self._minute:
            self._minute = minute
            self._calls.clear()
        calls = self._calls.get(profile_id, 0)
        if calls >= self._calls_per_minute:
            rest_ms = (self._minute + 1) * MS_PER_MINUTE - now_ms
            raise FareboxError(RATE_LIMITED, retry_after_seconds=-(-rest_ms // MS_PER_SECOND))
        self._calls[profile_id] = calls + 1

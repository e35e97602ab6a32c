"""The clock: UTC milliseconds that never run back.

It starts at the later of the wall clock and the stored high-water mark, and from there follows the
boot clock, which no one can set. A wall clock that steps is noticed (`drift_ms`), not followed: so
no step reopens a window, opens one early or grants anything twice. A process that only admits
takes the recorder's time before it admits anything: its own wall clock may have stepped since.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from farebox.core.instant import MS_PER_SECOND

NS_PER_MS = 1_000_000
DRIFT_ALARM_MS = 5 * MS_PER_SECOND
# How far other processes' clocks may take one ahead, and how slowly that is regained.
AHEAD_MS_MAX = 5_000
AHEAD_REGAINED_ONE_IN = 60


class Clock(Protocol):
    """What tells the time."""

    def now_ms(self) -> int:
        """UTC milliseconds, never less than before."""

    def not_before(self, high_water_ms: int) -> None:
        """Step ahead to an instant that has been reached elsewhere; never back."""

    def begin_at(self, at_ms: int) -> None:
        """Go on from an instant, be it an earlier one: nothing may hang on the time so far."""


def wall_ms() -> int:
    """What the machine's wall clock says."""
    return time.time_ns() // NS_PER_MS


def boot_ms() -> int:
    """Milliseconds since boot, suspended time included."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // NS_PER_MS


class SteadyClock:
    """The clock of a running process."""

    def __init__(
        self,
        high_water_ms: int = 0,
        *,
        wall: Callable[[], int] = wall_ms,
        steady: Callable[[], int] = boot_ms,
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._base_ms = max(high_water_ms, wall()) - steady()

    def now_ms(self) -> int:
        """UTC milliseconds, never less than before."""
        return self._base_ms + self._steady()

    def not_before(self, high_water_ms: int) -> None:
        """Step ahead to an instant that has been reached elsewhere; never back."""
        self._base_ms += max(0, high_water_ms - self.now_ms())

    def begin_at(self, at_ms: int) -> None:
        """Go on from an instant, be it an earlier one: nothing may hang on the time so far."""
        self._base_ms = at_ms - self._steady()

    def drift_ms(self) -> int:
        """How far the wall clock has stepped away; beyond `DRIFT_ALARM_MS` it is worth an alarm."""
        return self._wall() - self.now_ms()


class Ahead:
    """Follows other processes' clocks: at most so far, and that again only slowly.

    Who is ahead may be right; a clock that is wrong must not take all others along.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._followed_ms = 0
        self._allowed_ms = AHEAD_MS_MAX
        self._looked_ms: int | None = None

    @property
    def by_itself_ms(self) -> int:
        """What the clock would say if it had followed nobody."""
        return self._clock.now_ms() - self._followed_ms

    def follow(self, other_ms: int) -> None:
        """Step ahead towards an instant that another process has reached."""
        by_itself_ms = self.by_itself_ms
        now_ms = by_itself_ms + self._followed_ms
        if self._looked_ms is None or self._allowed_ms == AHEAD_MS_MAX:
            self._looked_ms = by_itself_ms
        regained_ms = (by_itself_ms - self._looked_ms) // AHEAD_REGAINED_ONE_IN
        if regained_ms > 0:
            self._allowed_ms = min(AHEAD_MS_MAX, self._allowed_ms + regained_ms)
            self._looked_ms = by_itself_ms
        step_ms = min(max(0, other_ms - now_ms), self._allowed_ms)
        if step_ms:
            self._clock.not_before(now_ms + step_ms)
            self._allowed_ms -= step_ms
            self._followed_ms += step_ms

"""Partings: leases that a process has given up, told to the recorder until it has heard them."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from farebox.core.errors import FareboxError
from farebox.engine.link import Link

AGAIN_SECONDS = 1.0
TIMES_MAX = 600
CLOSE_SECONDS_MAX = 3.0


class Partings:
    """Those of one process. Told twice, a parting counts once; told late, it is still right."""

    def __init__(self, link: Link, *, hold_ms: int, times_max: int) -> None:
        self._link = link
        self._hold_ms = hold_ms
        self._times_max = times_max
        self._tasks: set[asyncio.Task[None]] = set()

    def tell(self, lease_id: int, free: list[tuple[int, int]], now_ms: int) -> None:
        """Tell of a lease that nothing uses any more, and what is free of its lots."""
        task = asyncio.create_task(self._tell(lease_id, free, now_ms))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Wait a while for what is not heard yet."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=CLOSE_SECONDS_MAX)
            for task in late:
                task.cancel()

    async def _tell(self, lease_id: int, free: list[tuple[int, int]], now_ms: int) -> None:
        for _ in range(self._times_max):
            with suppress(FareboxError):
                await self._link.draw(
                    lease_id, now_ms, self._hold_ms, [], free, is_last=True, is_old=True
                )
                return
            if self._times_max > 1:
                await asyncio.sleep(AGAIN_SECONDS)

"""The record queue: requests that were admitted in this process and are done, on their way.

Whoever made one need not wait for its commit; or may. What waits is bounded, and looked at before
a request is admitted, so that none that was made is ever dropped. While the store is away it is
kept and tried again: a repeat changes nothing, since each request has an identity. Only a crash
loses what waits here: what was done in the last moments, or since the store went away.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from itertools import islice
from typing import NamedTuple

from farebox.core.errors import QUEUE_FULL, FareboxError
from farebox.core.request import Capture, MeteredRequest
from farebox.engine.gatekeeper import Gatekeeper
from farebox.engine.holds import Hold
from farebox.engine.link import unavailable
from farebox.service.metrics import Metrics

WAITING_MAX = 50_000
ROWS_PER_RECORD_MAX = 1_000
RETRY_SECONDS = 0.25
CLOSE_SECONDS_MAX = 5.0
COMMIT_SECONDS_MAX = 5.0
log = logging.getLogger("farebox.gate")


class _Done(NamedTuple):
    hold: Hold
    row: MeteredRequest
    capture: Capture | None
    committed: asyncio.Future[None] | None


class RecordQueue:
    """One per process, with one task that empties it."""

    def __init__(
        self, gatekeeper: Gatekeeper, metrics: Metrics, *, waiting_max: int = WAITING_MAX
    ) -> None:
        self._gatekeeper = gatekeeper
        self._metrics = metrics
        self._waiting_max = waiting_max
        self._waiting: deque[_Done] = deque()
        self._wake = asyncio.Event()
        self._flushing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many requests are not recorded yet."""
        return len(self._waiting)

    def check_room(self) -> None:
        """Refuse to admit what could not be recorded.

        Raises:
            FareboxError: 503, too much is waiting.
        """
        if len(self._waiting) >= self._waiting_max:
            raise FareboxError(QUEUE_FULL, retry_after_seconds=1)

    def start(self) -> None:
        """Begin to record."""
        self._task = asyncio.create_task(self._run())

    def put(self, hold: Hold, row: MeteredRequest, capture: Capture | None = None) -> None:
        """Have an admitted request recorded soon; never waits and never fails."""
        self._waiting.append(_Done(hold, row, capture, None))
        self._wake.set()

    async def put_and_wait(
        self, hold: Hold, row: MeteredRequest, capture: Capture | None = None
    ) -> None:
        """Have an admitted request recorded, and wait for its commit.

        Raises:
            FareboxError: 503, it has not come in time; the request is recorded when it can be.
        """
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Done(hold, row, capture, committed))
        self._wake.set()
        try:
            async with asyncio.timeout(COMMIT_SECONDS_MAX):
                await committed
        except TimeoutError as error:
            message = "an admitted request waits to be recorded"
            raise unavailable(message) from error

    async def flush(self) -> None:
        """Record what waits, once; what fails keeps waiting.

        Raises:
            FareboxError: 503, the store is away.
        """
        async with self._flushing:
            while self._waiting:
                batch = list(islice(self._waiting, ROWS_PER_RECORD_MAX))
                recorded = await self._gatekeeper.record(
                    [(done.hold, done.row) for done in batch],
                    [done.capture for done in batch if done.capture is not None],
                )
                for done in batch:
                    self._waiting.popleft()
                    if done.committed is not None and not done.committed.done():
                        done.committed.set_result(None)
                lost = len(recorded.rejected) + len(recorded.conflicts)
                self._metrics.count("farebox_requests_total", len(batch) - lost, outcome="accepted")
                if lost:
                    log.error("%d admitted requests were refused by the store", lost)
                    self._metrics.count("farebox_requests_total", lost, outcome="rejected")

    async def close(self) -> None:
        """Record what waits, if that is possible soon, and stop."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.wait([self._task])
        try:
            async with asyncio.timeout(CLOSE_SECONDS_MAX):
                await self.flush()
        except (FareboxError, TimeoutError):
            log.warning("%d admitted requests could not be recorded", len(self._waiting))

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self.flush()
            except FareboxError as error:
                log.warning("admitted requests are recorded later: %s", error.internal)
                await asyncio.sleep(RETRY_SECONDS)
                self._wake.set()

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

from farebox.core.errors import QUEUE_FULL, ROW_REFUSED, FareboxError
from farebox.core.request import Capture, MeteredRequest
from farebox.engine.gatekeeper import Gatekeeper
from farebox.engine.holds import Hold
from farebox.service.metrics import Metrics

WAITING_MAX = 50_000
ROWS_PER_RECORD_MAX = 1_000
# Headers and bodies: of one record, which must fit into a message, and of all that wait.
CAPTURED_CHARS_MAX = 4_000_000
CAPTURED_WAITING_MAX = 64_000_000
RETRY_SECONDS = 0.25
CLOSE_SECONDS_MAX = 5.0
log = logging.getLogger("farebox.gate")


class _Done(NamedTuple):
    hold: Hold
    row: MeteredRequest
    capture: Capture | None
    committed: asyncio.Future[None] | None

    def tell(self, *, is_refused: bool) -> None:
        """Let whoever waits go on."""
        if self.committed is None or self.committed.done():
            return
        if is_refused:
            self.committed.set_exception(FareboxError(ROW_REFUSED))
        else:
            self.committed.set_result(None)

    @property
    def captured_chars(self) -> int:
        """How much was captured of it."""
        return 0 if self.capture is None else sum(map(len, self.capture[2:]))


class RecordQueue:
    """One per process, with one task that empties it."""

    def __init__(
        self, gatekeeper: Gatekeeper, metrics: Metrics, *, waiting_max: int = WAITING_MAX
    ) -> None:
        self._gatekeeper = gatekeeper
        self._metrics = metrics
        self._waiting_max = waiting_max
        self._waiting: deque[_Done] = deque()
        self._captured_chars = 0
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
        self._add(_Done(hold, row, capture, None))

    async def put_and_wait(
        self, hold: Hold, row: MeteredRequest, capture: Capture | None = None
    ) -> None:
        """Have an admitted request recorded, and wait for its commit."""
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._add(_Done(hold, row, capture, committed))
        await committed

    async def flush(self) -> None:
        """Record what waits, once; what fails keeps waiting.

        Raises:
            FareboxError: 503, the store is away.
        """
        async with self._flushing:
            while self._waiting:
                batch = self._batch()
                recorded = await self._gatekeeper.record(
                    [(done.hold, done.row) for done in batch],
                    [done.capture for done in batch if done.capture is not None],
                )
                refused = {*recorded.conflicts, *(index for index, _ in recorded.rejected)}
                for index, done in enumerate(batch):
                    self._waiting.popleft()
                    self._captured_chars -= done.captured_chars
                    done.tell(is_refused=index in refused)
                lost = len(refused)
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

    def _add(self, done: _Done) -> None:
        """Have it wait; with what was captured of it, unless too much of that waits already."""
        if self._captured_chars + done.captured_chars > CAPTURED_WAITING_MAX:
            done = done._replace(capture=None)
        self._captured_chars += done.captured_chars
        self._waiting.append(done)
        self._wake.set()

    def _batch(self) -> list[_Done]:
        """The next that are recorded together, one at least."""
        batch: list[_Done] = []
        chars = 0
        for done in islice(self._waiting, ROWS_PER_RECORD_MAX):
            chars += done.captured_chars
            if batch and chars > CAPTURED_CHARS_MAX:
                break
            batch.append(done)
        return batch

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self.flush()
            except FareboxError as error:
                log.warning("admitted requests are recorded later: %s", error.internal)
            except Exception:
                # It must not end the task: nothing would be recorded any more.
                log.exception("admitted requests are recorded later")
            else:
                continue
            await asyncio.sleep(RETRY_SECONDS)
            self._wake.set()

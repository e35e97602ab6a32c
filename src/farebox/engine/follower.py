"""The follower: keeps the directory of a process no older than a moment.

It reads what changed a few times a second, on a thread and a connection of its own, so that no
slow report delays a revocation. Whoever decides by the directory asks `ensure_fresh` first; whoever
is about to deny that something exists asks `catch_up`. When the store is gone both say 503: so a
stale memory never answers, neither yes nor no.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from farebox.core.errors import FareboxError
from farebox.engine.directory import Directory
from farebox.engine.link import unavailable
from farebox.store.contract import Reader, StoreFaultError

FOLLOW_SECONDS = 0.25
# Together with the round trip of an answer this stays below the second that is promised.
FRESH_SECONDS_MAX = 0.9
REFRESH_SECONDS_MAX = 2.0
log = logging.getLogger("farebox.follower")


class Follower:
    """One per process and event loop."""

    def __init__(
        self,
        directory: Directory,
        open_reader: Callable[[], Reader],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._open_reader = open_reader
        self._monotonic = monotonic
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="follower")
        self._reader: Reader | None = None
        self._is_loaded = False
        self._lock = asyncio.Lock()
        self._running: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        # When the last refresh that succeeded began; what changed before it is known.
        self._fresh_since = float("-inf")
        # Of connections that are closed.
        self._round_trips = 0

    @property
    def connections(self) -> int:
        """How many connections are open: one, or none while there is no store."""
        return int(self._reader is not None)

    @property
    def round_trips(self) -> int:
        """How often a server was waited for."""
        reader = self._reader
        return self._round_trips + (0 if reader is None else reader.round_trips)

    async def start(self) -> None:
        """Read everything, and follow the changes from now on.

        Raises:
            FareboxError: 503, the store can't be read.
        """
        await self.catch_up()
        self._task = asyncio.create_task(self._follow())

    async def close(self) -> None:
        """Stop following."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._drop()

    async def ensure_fresh(self) -> None:
        """Have a directory that is young enough to decide by.

        Raises:
            FareboxError: 503, the store can't be read.
        """
        if not self.is_fresh():
            await self.catch_up()

    def is_fresh(self) -> bool:
        """Whether the directory is young enough to decide by."""
        return self._monotonic() - self._fresh_since <= FRESH_SECONDS_MAX

    async def catch_up(self) -> None:
        """Know everything that was committed before this call.

        Calls that wait together share one refresh.

        Raises:
            FareboxError: 503, the store can't be read.
        """
        asked = self._monotonic()
        async with self._lock:
            if self._fresh_since >= asked:
                return
            try:
                async with asyncio.timeout(REFRESH_SECONDS_MAX):
                    self._fresh_since = await self._refreshed()
            except TimeoutError as error:
                message = "the directory could not be refreshed in time"
                raise unavailable(message) from error

    async def reach(self, change_id: int) -> None:
        """Know a change that this process made itself."""
        if self._directory.change_id < change_id:
            await self.catch_up()

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(FOLLOW_SECONDS)
            try:
                await self.catch_up()
            except FareboxError as error:
                log.warning("the directory is not up to date: %s", error.internal)
            except Exception:
                log.exception("the directory could not be refreshed")

    async def _refreshed(self) -> float:
        """Refresh on the thread; when that began. One that was given up on is waited for first."""
        if self._running is not None and not self._running.done():
            await asyncio.wait([self._running])
        began = self._monotonic()
        self._running = asyncio.get_running_loop().run_in_executor(self._thread, self._refresh)
        self._running.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.shield(self._running)
        return began

    def _refresh(self) -> None:
        try:
            if self._reader is None:
                self._reader = self._open_reader()
            if self._is_loaded:
                self._directory.refresh(self._reader)
            else:
                self._directory.load(self._reader)
                self._is_loaded = True
        except StoreFaultError as error:
            self._drop()
            raise unavailable(str(error)) from error

    def _drop(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            self._round_trips += reader.round_trips
            reader.close()

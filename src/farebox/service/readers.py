"""Readers: the threads that reports and lists run on, each with a read-only connection of its own.

There are two, so that reading never takes more than its share of the machine from recording. What
waits is bounded, and so is the time of a query: beyond either bound the caller is told 503.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import TypeVar

from farebox.engine.follower import Follower
from farebox.engine.link import unavailable
from farebox.service.reading import DirectoryBehindError
from farebox.store.contract import Reader, StoreFaultError

THREADS = 2
WAITING_MAX = 200
QUERY_SECONDS_MAX = 10.0
_AGAIN_SECONDS = 0.5

Result = TypeVar("Result")


class Readers:
    """`await readers.run(work)` gives `work(reader)`, computed on one of the threads."""

    def __init__(
        self,
        open_reader: Callable[[], Reader],
        *,
        waiting_max: int = WAITING_MAX,
        query_seconds_max: float = QUERY_SECONDS_MAX,
    ) -> None:
        self._open_reader = open_reader
        self._waiting_max = waiting_max
        self._query_seconds_max = query_seconds_max
        self._threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="reader")
        self._of_thread = threading.local()
        self._all: set[Reader] = set()
        self._waiting = 0
        # Of connections that are closed.
        self._round_trips = 0

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._all)

    @property
    def round_trips(self) -> int:
        """How often a server was waited for."""
        return self._round_trips + sum(reader.round_trips for reader in self._all.copy())

    async def run(
        self,
        work: Callable[[Reader], Result],
        *,
        profile_id: int | None = None,
        own_seconds: float = 0,
    ) -> Result:
        """The result of some work that reads.

        Args:
            work: what is called with a reader.
            profile_id: the workspace that it may see alone; None for all.
            own_seconds: how long it may take by a budget of its own, which it keeps itself.

        Raises:
            FareboxError: what `work` raises, or 503: too much waits already.
            StoreFaultError: the store failed.
            QueryTimeoutError: a query took too long.
        """
        if self._waiting >= self._waiting_max:
            message = "too many reports are waiting"
            raise unavailable(message)
        self._waiting += 1
        turn = _Turn(asyncio.get_running_loop(), self._query_seconds_max + own_seconds)
        try:
            return await turn.loop.run_in_executor(
                self._threads, self._work, turn, work, profile_id
            )
        finally:
            turn.cancel()
            self._waiting -= 1

    def close(self) -> None:
        """Finish what runs and close the connections."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        while self._all:
            self._all.pop().close()

    def _work(
        self, turn: _Turn, work: Callable[[Reader], Result], profile_id: int | None
    ) -> Result:
        is_kept = hasattr(self._of_thread, "reader")
        try:
            return self._read(turn, work, profile_id)
        except StoreFaultError:
            if not is_kept:
                raise
        # The connection may have been lost long before, and what only reads may be done again.
        return self._read(turn, work, profile_id)

    def _read(
        self, turn: _Turn, work: Callable[[Reader], Result], profile_id: int | None
    ) -> Result:
        reader: Reader | None = getattr(self._of_thread, "reader", None)
        if reader is None:
            reader = self._of_thread.reader = self._open_reader()
            self._all.add(reader)
        turn.begin(reader)
        try:
            with nullcontext() if profile_id is None else reader.wall(profile_id):
                return work(reader)
        except StoreFaultError:
            # Whatever is wrong with this connection, the next reader gets a new one.
            del self._of_thread.reader
            self._all.discard(reader)
            self._round_trips += reader.round_trips
            reader.close()
            raise
        finally:
            turn.end()


async def read_own(
    readers: Readers,
    follower: Follower,
    profile_id: int | None,
    work: Callable[[Reader], Result],
    *,
    own_seconds: float = 0,
) -> Result:
    """The result of some work that reads one workspace alone, or all, as `Readers.run`.

    Another process may have made a plan or a log type, and used it, a moment before this one hears
    of it. Then the directory catches up and the work is done once more: nothing is called unknown
    that the store knows.

    Raises:
        DirectoryBehindError: even the directory of now doesn't know what the store names.
    """
    try:
        return await readers.run(work, profile_id=profile_id, own_seconds=own_seconds)
    except DirectoryBehindError:
        await follower.catch_up()
        return await readers.run(work, profile_id=profile_id, own_seconds=own_seconds)


class _Turn:
    """One piece of work and its deadline. Interrupts no other work than its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self.loop = loop
        self._seconds = seconds
        self._lock = threading.Lock()
        self._reader: Reader | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_over = False

    def begin(self, reader: Reader) -> None:
        self._reader = reader
        # The time spent waiting for a thread doesn't count.
        self.loop.call_soon_threadsafe(self._arm, self._seconds)

    def end(self) -> None:
        with self._lock:
            self._reader = None

    def cancel(self) -> None:
        self._is_over = True
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self, seconds: float) -> None:
        if not self._is_over and self._timer is None:
            self._timer = self.loop.call_later(seconds, self._expire)

    def _expire(self) -> None:
        with self._lock:
            if self._reader is not None:
                self._reader.interrupt()
        # An interrupt between two queries is lost: try again until the work is over.
        self._timer = None
        self._arm(_AGAIN_SECONDS)

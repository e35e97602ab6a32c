"""The customer endpoints' own limit: calls a minute of each workspace, in fixed windows.

Each process counts its calls in memory, and after a tenth of a second, or a twentieth of the limit,
it reads how many all processes together have recorded; after a twentieth it has its own recorded
first. So a process alone holds the limit to the call; each further one may pass it by a twentieth
at most, and by the calls that it answers at that moment. It takes no unit from anyone and writes
nothing: it protects the program, it sells nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from farebox.core.errors import RATE_LIMITED, FareboxError
from farebox.core.identity import first_query_log_id
from farebox.core.instant import MS_PER_MINUTE, MS_PER_SECOND
from farebox.store.contract import QueryTimeoutError, Reader, StoreFaultError

READ_EVERY_MS = 100
READ_EVERY_SHARE = 20
FLUSH_SECONDS_MAX = 1.0

Read = Callable[[Callable[[Reader], int]], Awaitable[int]]


class _Calls:
    """Of one workspace in this minute: those that are known of, when they were read last.

    `unread` were let through since.
    """

    __slots__ = ("count", "read_ms", "unread")

    def __init__(self) -> None:
        self.count = 0
        self.read_ms = 0
        self.unread = 0


class OwnLimit:
    """`take` counts a call, or refuses it when the workspace's minute is full.

    `read` computes something on a reader's thread; `flush` records the calls that were answered.
    """

    def __init__(
        self, calls_per_minute: int, read: Read, flush: Callable[[], Awaitable[None]]
    ) -> None:
        self._calls_per_minute = calls_per_minute
        self._unread_max = max(1, calls_per_minute // READ_EVERY_SHARE)
        self._read = read
        self._flush = flush
        self._minute = -1
        self._calls: dict[int, _Calls] = {}

    async def take(self, profile_id: int, now_ms: int) -> None:
        """Count one call of a workspace.

        Raises:
            FareboxError: 429, to be tried again when the next minute begins.
        """
        minute = now_ms // MS_PER_MINUTE
        # A call that was kept waiting over the turn of a minute counts to the new one.
        if minute > self._minute:
            self._minute = minute
            self._calls.clear()
        calls = self._calls.setdefault(profile_id, _Calls())
        self._check(calls, now_ms)
        if now_ms - calls.read_ms >= READ_EVERY_MS or calls.unread >= self._unread_max:
            is_due = calls.unread >= self._unread_max
            calls.read_ms, calls.unread = now_ms, 0
            if is_due:
                await self._show()
            await self._look(profile_id, calls)
            self._check(calls, now_ms)
        calls.count += 1
        calls.unread += 1

    async def _show(self) -> None:
        """Let others see what this process let through."""
        with suppress(FareboxError, TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS_MAX):
                await self._flush()

    async def _look(self, profile_id: int, calls: _Calls) -> None:
        """See what others let through; if that can't be, go by what is known."""
        from_id = first_query_log_id(self._minute * MS_PER_MINUTE)

        def recorded(reader: Reader) -> int:
            return reader.integer("own_calls", profile_id=profile_id, from_id=from_id)

        with suppress(FareboxError, StoreFaultError, QueryTimeoutError):
            calls.count = max(calls.count, await self._read(recorded))

    def _check(self, calls: _Calls, now_ms: int) -> None:
        if calls.count >= self._calls_per_minute:
            rest_ms = max(1, (self._minute + 1) * MS_PER_MINUTE - now_ms)
            raise FareboxError(RATE_LIMITED, retry_after_seconds=-(-rest_ms // MS_PER_SECOND))

"""Life: the parts of Farebox inside the provider's process, from their start to their stop.

They are made for one event loop, by its lifespan or at the first request that needs them, and made
anew for another loop or after a stop. Where no lifespan stops them, the end of the loop does.
Whoever waits for a start shares it; one that failed is not tried again at once, and all are told
503 meanwhile. An audit of the books is left to the server and the command line: no app starts a
process for it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import ClassVar
from weakref import WeakSet

from farebox.api.context import Context
from farebox.api.health import numbers_now
from farebox.app import Application, Hooks, make_customer_app, make_watchers
from farebox.app import start as start_parts
from farebox.app import stop as stop_parts
from farebox.core.errors import FareboxError
from farebox.parts import make_context
from farebox.service.failure import as_farebox_error
from farebox.service.numbers import Number
from farebox.settings import Settings

RETRY_SECONDS = 1.0
log = logging.getLogger("farebox.embed")


class Parts:
    """What runs, or is lent by whoever runs it: the context, and the customer endpoints over it."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.customers: Application = make_customer_app(context)


class _Running:
    """Parts of an event loop, with what watches beside them."""

    def __init__(self, parts: Parts, watching: list[asyncio.Task[None]]) -> None:
        self.parts = parts
        self.loop = asyncio.get_running_loop()
        self.watching = watching


class Life:
    """Of one middleware. To be used from one event loop at a time.

    `living` are those of this process, as long as their middleware is there.
    """

    living: ClassVar[WeakSet[Life]] = WeakSet()

    def __init__(
        self,
        settings: Settings,
        *,
        make: Callable[[Settings], Context] = make_context,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = replace(settings, audit_minutes=0)
        self._make = make
        self._context: Context | None = None
        self.living.add(self)
        self._monotonic = monotonic
        self._running: _Running | None = None
        self._starting: asyncio.Task[Parts] | None = None
        self._failed: tuple[float, FareboxError] | None = None

    async def parts(self) -> Parts:
        """The parts, started if need be.

        Raises:
            FareboxError: 503, they can't be started now.
        """
        running = self._running
        if running is not None and running.loop is asyncio.get_running_loop():
            return running.parts
        if self._failed is not None and self._monotonic() - self._failed[0] < RETRY_SECONDS:
            raise self._failed[1]
        return await self.start()

    async def start(self) -> Parts:
        """Start the parts for this event loop.

        Raises:
            FareboxError: 503, there is no recorder or no database to read.
        """
        loop = asyncio.get_running_loop()
        starting = self._starting
        if starting is None or starting.done() or starting.get_loop() is not loop:
            starting = self._starting = asyncio.create_task(self._start())
            starting.add_done_callback(_look_at)
        return await asyncio.shield(starting)

    def numbers(self) -> list[Number]:
        """What the parts have counted since they were started last; from any thread."""
        return [] if self._context is None else numbers_now(self._context)

    async def stop(self) -> None:
        """Record what waits and let everything go; nothing where nothing runs."""
        running, self._running = self._running, None
        if running is None or running.loop is not asyncio.get_running_loop():
            return
        others = [task for task in running.watching if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await stop_parts(running.parts.context)

    async def _start(self) -> Parts:
        # Those of a loop that is gone have gone with it.
        self._running = None
        context: Context | None = None
        try:
            context = self._make(self._settings)
            await start_parts(context)
        except BaseException as error:
            if context is not None:
                await _let_go(context)
            if isinstance(error, Exception):
                self._failed = (self._monotonic(), as_farebox_error(error))
            raise
        self._failed = None
        self._context = context
        work = [*make_watchers(context, self._settings, Hooks()), self._stop_at_the_end()]
        parts = Parts(context)
        self._running = _Running(parts, [asyncio.create_task(watcher) for watcher in work])
        log.info("farebox looks after this app, with %s", self._settings.database)
        return parts

    async def _stop_at_the_end(self) -> None:
        """Stop when all tasks of the loop are cancelled, as a server does with its last breath."""
        try:
            await asyncio.Event().wait()
        finally:
            await self.stop()


async def _let_go(context: Context) -> None:
    """Close what a start that failed has opened."""
    with suppress(FareboxError):
        await context.link.close()
    await context.follower.close()
    context.readers.close()


def _look_at(starting: asyncio.Task[Parts]) -> None:
    """Those who asked for it may all have gone: then nobody else looks at its error."""
    if not starting.cancelled():
        starting.exception()

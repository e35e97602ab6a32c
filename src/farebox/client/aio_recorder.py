"""The recorder of an `AsyncClient`: a task that sends what waits, when it is due.

The task begins with the first request, on the loop that runs then; the client belongs to that
loop. One sends at a time, the task or whoever flushes.
"""

from __future__ import annotations

import asyncio

from farebox.client.aio_driver import AsyncDriver
from farebox.client.delivery import Delivery, log
from farebox.client.errors import ClosedError, FareboxClientError
from farebox.contract.metering import RequestRow


class AsyncRecorder:
    """Takes requests on one event loop."""

    def __init__(self, delivery: Delivery, driver: AsyncDriver) -> None:
        self._delivery = delivery
        self._driver = driver
        self._woken = asyncio.Event()
        self._sending = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False

    def add(self, row: RequestRow) -> None:
        """Take a request.

        Raises:
            FareboxClientError: it was not taken: the buffer is full, or the client closed.
        """
        if self._is_closed:
            raise ClosedError
        loop = asyncio.get_running_loop()
        needs_a_look = self._delivery.add(row)
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._work())
        elif needs_a_look:
            self._woken.set()

    async def flush(self) -> None:
        """Send all that waits; returns when the server has answered for each of them.

        Raises:
            FareboxClientError: they could not be sent, and wait on.
        """
        async with self._sending:
            await self._driver.run(self._delivery.deliver())

    async def close(self) -> None:
        """Send all that waits, and take nothing any more.

        Raises:
            FareboxClientError: some could not be sent; `on_failure` was told of each.
        """
        self._is_closed = True
        self._woken.set()
        if self._task is not None:
            await asyncio.wait({self._task})  # it may have been cancelled with all others
            self._task = None
        try:
            await self.flush()
        except FareboxClientError as error:
            self._delivery.abandon(error)
            raise

    async def _work(self) -> None:
        while await self._is_due():
            try:
                await self.flush()
            except FareboxClientError as error:
                self._delivery.put_off(error)
            except Exception:  # noqa: BLE001 - a fault of ours: the next request starts another task
                log.exception("the recorder's task failed")
                return

    async def _is_due(self) -> bool:
        """Wait until something should be sent; False: the client is closed."""
        while not self._is_closed:
            self._woken.clear()
            seconds = self._delivery.due_in()
            if seconds is not None and seconds <= 0:
                return True
            try:
                async with asyncio.timeout(seconds):
                    await self._woken.wait()
            except TimeoutError:
                continue
        return False

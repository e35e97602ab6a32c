"""The driver of an `AsyncClient`: it does what a flow asks for, and awaits meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import NamedTuple

import httpx

from farebox.client.call import Caller, Event, Flow, Pause, Send, Value
from farebox.client.connection import Connection
from farebox.client.errors import ClosedError


class AsyncDriver(NamedTuple):
    """Runs flows over one pool of connections, on one event loop."""

    http: httpx.AsyncClient
    connection: Connection
    caller: Caller
    sleep: Callable[[float], Awaitable[None]]

    async def run(self, flow: Flow[Value]) -> Value:
        """What the flow comes to.

        Raises:
            FareboxClientError: as the flow does.
        """
        with closing(flow):
            event: Event = None
            while True:
                try:
                    step = flow.send(event)
                except StopIteration as done:
                    value: Value = done.value
                    return value
                event = await self._done(step)

    async def _done(self, step: Send | Pause) -> Event:
        if isinstance(step, Pause):
            await self.sleep(step.seconds)
            return None
        if self.http.is_closed:
            raise ClosedError
        try:
            async with asyncio.timeout(step.seconds_max):
                return await self.http.send(self.connection.request(self.http, step))
        except httpx.RequestError as error:
            return error
        except TimeoutError:
            return httpx.ReadTimeout("the whole answer was not there in time")

"""The driver of a `Client`: it does what a flow asks for, and waits meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import NamedTuple

import httpx

from farebox.client.call import Caller, Event, Flow, Pause, Send, Value
from farebox.client.connection import Connection
from farebox.client.errors import ClosedError


class Driver(NamedTuple):
    """Runs flows over one pool of connections; any thread may."""

    http: httpx.Client
    connection: Connection
    caller: Caller
    sleep: Callable[[float], None]

    def run(self, flow: Flow[Value]) -> Value:
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
                event = self._done(step)

    def _done(self, step: Send | Pause) -> Event:
        if isinstance(step, Pause):
            self.sleep(step.seconds)
            return None
        if self.http.is_closed:
            raise ClosedError
        try:
            return self.http.send(self.connection.request(self.http, step))
        except httpx.RequestError as error:
            return error

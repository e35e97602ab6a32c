"""A connection: bounded in how slowly a body may come, and in how many there are.

A body that comes too slowly is 408 to whoever reads it, and the connection ends with that answer.
No total is set, since a batch of many MiB may take its time over a slow line that lives. The rest
of a body whose request was answered already is waited for a little, and then hung up on.

A connection too many is answered 503, its first request and no other; those that were there before
go on. A body that came with its head, as most do, costs no timer.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from farebox.api.errors import error_response
from farebox.api.head import BoundedHead
from farebox.contract.operations import OPERATIONS
from farebox.contract.texts import language_of
from farebox.core.errors import BODY_TOO_SLOW, TOO_MANY_CONNECTIONS, FareboxError
from farebox.engine.entropy import SystemEntropy

_FAMILIES = {operation.path: operation.error_family for operation in OPERATIONS}


class BoundedConnection(BoundedHead):
    """uvicorn's HTTP protocol with all bounds. One per connection."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*arguments, **options)
        self._is_in_body = False
        self._arrival: _Arrival | None = None
        self._look: asyncio.TimerHandle | None = None
        self._came_bytes_of_body = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected; there may be too many of them."""
        super().connection_made(transport)
        surplus = len(self.connections) - self.bounds.connections
        if surplus > self.bounds.surplus_connections:
            transport.abort()
        elif surplus > 0:
            self.app = _refuse
            self._await_head(self.bounds.surplus_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client, or the server, has hung up."""
        self._end_body()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take some bytes; from the first on that leave a body unended, look after it."""
        super().data_received(data)
        if self._is_in_body:
            if self._look is None:
                self._arrival = _Arrival(self.cycle)
                self._look_later()
            self._came_bytes_of_body += len(data)

    def on_headers_complete(self) -> None:
        """The head has ended, and a body begins, be it empty."""
        super().on_headers_complete()
        self._is_in_body = True

    def on_message_complete(self) -> None:
        """The body has ended."""
        self._end_body()
        super().on_message_complete()

    def _end_body(self) -> None:
        self._is_in_body = False
        if self._look is not None:
            self._look.cancel()
            self._look = self._arrival = None

    def _look_later(self) -> None:
        self._came_bytes_of_body = 0
        self._look = self.loop.call_later(self.bounds.body_seconds, self._look_now)

    def _look_now(self) -> None:
        """Say what becomes of a body that hasn't ended yet."""
        arrival = self._arrival
        assert arrival is not None
        cycle = arrival.cycle
        if cycle.response_complete and arrival.is_answered:
            self.transport.close()
            return
        arrival.is_answered = cycle.response_complete
        # Nothing can come while we don't read, or before we have asked for it.
        is_ours = self.flow.read_paused or cycle.waiting_for_100_continue
        is_slow = self._came_bytes_of_body < self.bounds.body_bytes and not is_ours
        if is_slow and not arrival.is_answered:
            arrival.is_too_slow = True
            cycle.keep_alive = False
            cycle.message_event.set()
        self._look_later()


class _Arrival:
    """A body while it arrives: what the application receives, until it comes too slowly."""

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self.cycle = cycle
        self.is_too_slow = False
        self.is_answered = False
        self._receive = cycle.receive
        # The application isn't called before the next turn of the loop.
        cycle.receive = self  # type: ignore[assignment, method-assign]

    async def __call__(self) -> Message:
        """The next part.

        Raises:
            FareboxError: 408, now and ever after.
        """
        message = None if self.is_too_slow else await self._receive()
        if message is None or self.is_too_slow:
            raise FareboxError(BODY_TOO_SLOW)
        return cast("Message", message)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """The application of a connection too many."""
    error = FareboxError(TOO_MANY_CONNECTIONS, internal="too many connections are open")
    language = language_of(Headers(scope=scope).get("accept-language"))
    response = error_response(
        error, _FAMILIES.get(scope["path"], "general"), language, SystemEntropy()
    )
    response.headers["Connection"] = "close"
    await response(scope, receive, send)

"""Exchange: what passes between an ASGI app and its server while an admitted call is answered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from farebox.core.request import Capture, MeteredRequest
from farebox.embed.passage import COMMIT_SECONDS_MAX, CREDITS_HEADER, Passage
from farebox.engine.holds import Hold
from farebox.engine.link import unavailable

_CREDITS_NAME = CREDITS_HEADER.lower().encode()
_CHARSET = "latin-1"
log = logging.getLogger("farebox.embed")

Committed = Callable[[Hold, MeteredRequest, Capture | None], Awaitable[None]]


class Exchange:
    """One call of the app.

    With `committed` the last part of the body is held until the commit, and so is the head while
    nothing else has left: `failed` answers instead of it when there is no commit in time.
    """

    def __init__(
        self,
        passage: Passage,
        receive: Receive,
        send: Send,
        *,
        committed: Committed | None,
        failed: Callable[[Exception], Response],
        is_head: bool,
    ) -> None:
        self._passage = passage
        self._receive = receive
        self._send = send
        self._committed = committed
        self._failed = failed
        self._is_head = is_head
        self._held: Message | None = None
        self._has_left = False
        self._declared_bytes = 0
        self._scope: Scope = {}

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        """Call the app; however that ends, the passage ends with it."""
        self._scope = scope
        try:
            await app(scope, self.receive, self.send)
        except Exception:
            if self._has_left:
                self._passage.break_off()
            else:
                self._passage.fail()
            raise
        finally:
            # It was cancelled, or had nothing to say to somebody who has left.
            self._passage.break_off()

    async def receive(self) -> Message:
        """What the server tells the app."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._has_left = True
        elif self._passage.request_copy is not None:
            self._passage.request_copy.add(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        """What the app tells the server."""
        kind = message["type"]
        if kind == "http.response.start":
            message = self._begun(message)
            if self._committed is not None:
                self._held = message
                return
        elif kind == "http.response.body":
            if not self._is_head:
                self._passage.sent(message.get("body", b""))
            if not message.get("more_body", False) and not await self._is_settled():
                return
        elif kind == "http.response.pathsend":
            # The server reads the file itself; its size stands in the head.
            self._passage.size_bytes = self._declared_bytes
            if not await self._is_settled():
                return
        await self._let_go(message)

    def _begun(self, message: Message) -> Message:
        """The answer's head, without what was meant for the middleware and with the limits."""
        headers: list[tuple[bytes, bytes]] = []
        reported: list[str] = []
        for name, value in message.get("headers", ()):
            if name.lower() == _CREDITS_NAME:
                reported.append(value.decode(_CHARSET))
                continue
            if name.lower() == b"content-length" and value.isdigit():
                self._declared_bytes = int(value)
            headers.append((name, value))
        for told, text in self._passage.begin(message["status"], reported):
            headers.append((told.lower().encode(_CHARSET), text.encode(_CHARSET)))
        return {**message, "headers": headers}

    async def _is_settled(self) -> bool:
        """Settle; whether the rest of the answer may be sent.

        Raises:
            FareboxError: 503, there is no commit yet, and part of the answer has left already.
        """
        if self._committed is None or self._passage.is_ended:
            self._passage.settle()
            return True
        try:
            async with asyncio.timeout(COMMIT_SECONDS_MAX):
                await self._committed(*self._passage.done())
        except TimeoutError as error:
            late = unavailable("the request could not be recorded in time")
            if self._held is None:
                raise late from error
            self._held = None
            await self._failed(late)(self._scope, self._receive, self._send)
            return False
        return True

    async def _let_go(self, message: Message) -> None:
        held, self._held = self._held, None
        try:
            if held is not None:
                await self._send(held)
            await self._send(message)
        except OSError:
            self._has_left = True
            raise

"""The head of a request: its first line and its headers, bounded in size and in time.

What comes before a request is understood costs memory and a connection, whoever sends it. A head
that is larger than the bound gets 431; one that isn't complete in time is hung up on.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from farebox.api.bounds import Bounds

_MESSAGE = "The head of the request must not be larger than {} bytes."
_REFUSAL = (
    "HTTP/1.1 431 Request Header Fields Too Large\r\n"
    "content-type: text/plain; charset=utf-8\r\n"
    "content-length: {}\r\n"
    "connection: close\r\n"
    "\r\n"
    "{}"
)


class HeadTooLargeError(Exception):
    """The head is larger than it may be."""


class BoundedHead(HttpToolsProtocol):
    """uvicorn's HTTP protocol with these bounds. One per connection."""

    def __init__(
        self,
        *arguments: Any,  # noqa: ANN401 - uvicorn's own
        bounds: Bounds = Bounds(),  # noqa: B008 - never changed
        **options: Any,  # noqa: ANN401 - uvicorn's own
    ) -> None:
        super().__init__(*arguments, **options)
        self.bounds = bounds
        self._is_in_head = False
        self._began_now = False
        # Since the head's beginning: what came in whole pieces, and what was understood.
        self._came_bytes = 0
        self._told_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected; its first request is to come soon."""
        super().connection_made(transport)
        self._await_head(self.bounds.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client, or the server, has hung up."""
        self._end_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take some bytes; a head without an end isn't collected further than the bound."""
        self._began_now = False
        super().data_received(data)
        if self._is_in_head:
            self._came_bytes += 0 if self._began_now else len(data)
            if self._came_bytes > self.bounds.head_bytes:
                self.send_400_response("")
            elif self._deadline is None:
                self._await_head(self.bounds.head_seconds)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, or is too large, and hang up."""
        is_too_large = max(self._came_bytes, self._told_bytes) > self.bounds.head_bytes
        self._is_in_head = False
        if self.transport.is_closing():
            return
        if is_too_large:
            message = _MESSAGE.format(self.bounds.head_bytes)
            self.transport.write(_REFUSAL.format(len(message), message).encode())
            self.transport.close()
        else:
            super().send_400_response(msg)

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._is_in_head = self._began_now = True
        self._came_bytes = self._told_bytes = 0

    def on_url(self, url: bytes) -> None:
        """A part of the address has come."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header has come."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head has ended."""
        self._is_in_head = False
        self._end_deadline()
        super().on_headers_complete()

    def _count(self, length: int) -> None:
        self._told_bytes += length
        if self._told_bytes > self.bounds.head_bytes:
            raise HeadTooLargeError

    def _await_head(self, seconds: float) -> None:
        self._end_deadline()
        self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _end_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

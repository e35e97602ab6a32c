"""Wires: HTTP calls over raw sockets on an event loop, many at a time and cheap.

A wire is one connection that is kept alive. It may also hang up at the worst moment: right after
it has sent a request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import msgspec

ANSWER_SECONDS_MAX = 60.0
HEAD_END = b"\r\n\r\n"


class Heard(NamedTuple):
    """An answer; the names of its headers are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 - any JSON
        """What the body says."""
        return msgspec.json.decode(self.body)


class Wire:
    """One connection at a time to one server; opened at the first call, and after it was lost."""

    def __init__(self, url: str, *, answer_seconds_max: float = ANSWER_SECONDS_MAX) -> None:
        self._answer_seconds_max = answer_seconds_max
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._address = (parts.hostname, parts.port)
        self._open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.hang_up()

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: object = None
    ) -> Heard:
        """The answer to a call; `body` is sent as JSON.

        Raises:
            OSError: the connection could not be opened, or was lost before the answer.
        """
        try:
            async with asyncio.timeout(self._answer_seconds_max):
                reader = await self._send(method, path, headers, body)
                return await self._heard(reader)
        except (OSError, EOFError, TimeoutError) as error:
            self.hang_up()
            raise ConnectionError(str(error)) from error

    async def send_and_hang_up(
        self, method: str, path: str, headers: Mapping[str, str], body: object = None
    ) -> None:
        """Send a call and don't wait for what becomes of it."""
        await self._send(method, path, headers, body)
        self.hang_up()

    def hang_up(self) -> None:
        """Close the connection."""
        if self._open is not None:
            self._open[1].close()
            self._open = None

    async def _send(
        self, method: str, path: str, headers: Mapping[str, str], body: object
    ) -> asyncio.StreamReader:
        if self._open is None:
            self._open = await asyncio.open_connection(*self._address)
        reader, writer = self._open
        content = b"" if body is None else msgspec.json.encode(body)
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._address[0]}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if content:
            lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
        writer.write("\r\n".join(lines).encode() + HEAD_END + content)
        await writer.drain()
        return reader

    async def _heard(self, reader: asyncio.StreamReader) -> Heard:
        head = (await reader.readuntil(HEAD_END)).decode("latin-1").split("\r\n")
        headers = {}
        for line in head[1:]:
            name, _, value = line.partition(":")
            if name:
                headers[name.lower()] = value.strip()
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        if headers.get("connection", "").lower() == "close":
            self.hang_up()
        return Heard(int(head[0].split()[1]), headers, body)

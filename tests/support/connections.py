"""Connections to a server of one app, over real sockets, byte by byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from farebox.api.bounds import Bounds
from farebox.api.connection import BoundedConnection

READ_SECONDS_MAX = 20


class Connection:
    """A client's end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, *parts: bytes) -> None:
        """Send bytes; the server may have hung up."""
        for part in parts:
            self._writer.write(part)
            try:
                await self._writer.drain()
            except ConnectionError:
                return

    async def said(self) -> bytes:
        """All that the server says until it hangs up."""
        told = b""
        async with asyncio.timeout(READ_SECONDS_MAX):
            try:
                while data := await self._reader.read(65536):
                    told += data
            except ConnectionError:
                return told
        return told

    async def said_until(self, end: bytes) -> bytes:
        """What the server says up to some bytes."""
        async with asyncio.timeout(READ_SECONDS_MAX):
            return await self._reader.readuntil(end)

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()


class Looked(BoundedConnection):
    """One that tells when it looked how a body comes."""

    looked: asyncio.Event

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - as uvicorn's
        super().__init__(*arguments, **options)
        type(self).looked = asyncio.Event()

    def _look_now(self) -> None:
        super()._look_now()
        self.looked.set()


class Door:
    """A server that listens."""

    def __init__(
        self, server: asyncio.Server, state: ServerState, taken: list[BoundedConnection]
    ) -> None:
        self._server = server
        self._taken = taken
        self._made: list[Connection] = []
        self.state = state

    async def connect(self) -> Connection:
        """A new connection; the server has it, too."""
        address = self._server.sockets[0].getsockname()
        connection = Connection(*await asyncio.open_connection(*address))
        self._made.append(connection)
        async with asyncio.timeout(READ_SECONDS_MAX):
            while not self._has_taken(len(self._made)):  # noqa: ASYNC110 - nobody tells it
                await asyncio.sleep(0)
        return connection

    def _has_taken(self, count: int) -> bool:
        return len(self._taken) == count and self._taken[-1].transport is not None

    async def close(self) -> None:
        """Hang up on both ends."""
        self._server.close()
        for protocol in list(self.state.connections):
            protocol.transport.abort()
        for connection in self._made:
            await connection.close()
        await asyncio.gather(*self.state.tasks)


@asynccontextmanager
async def listening(
    app: ASGIApp,
    bounds: Bounds = Bounds(),  # noqa: B008 - never changed
    kind: type[BoundedConnection] = BoundedConnection,
) -> AsyncIterator[Door]:
    """A server of `app` within `bounds`."""
    config = uvicorn.Config(app, http=kind, ws="none", log_config=None)
    config.load()
    state = ServerState()
    taken: list[BoundedConnection] = []

    def take() -> BoundedConnection:
        taken.append(kind(config, state, {}, bounds=bounds))
        return taken[-1]

    server = await asyncio.get_running_loop().create_server(take, "127.0.0.1", 0)
    door = Door(server, state, taken)
    try:
        yield door
    finally:
        await door.close()

"""A stage for the link: a recorder's seat that a test plays, as it likes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest

from farebox.core.errors import (
    ErrorKind,
    FareboxError,
)
from farebox.core.request import MeteredRequest
from farebox.engine.messages import (
    FrameBuffer,
    Message,
    Recorded,
    Reply,
    decode_message,
    encode,
)
from farebox.engine.paths import address, socket_path
from tests.support.worlds import request

Play = Callable[[Message], Awaitable[Reply | bytes | None]]


class Stage:
    """A recorder that is played: what it is sent, and what the test has it answer.

    The answer to a message is a reply, raw bytes, or None: then it hangs up.
    """

    def __init__(self, folder: Path, play: Play) -> None:
        self.database = folder / "farebox.db"
        self.play = play
        self.connections = 0
        self.heard: asyncio.Queue[Message] = asyncio.Queue()
        self.transports: set[asyncio.Transport] = set()
        self.answers: set[asyncio.Task[None]] = set()
        self.is_empty = asyncio.Event()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Stage]:
        loop = asyncio.get_running_loop()
        with address(socket_path(self.database)) as name:
            server = await loop.create_unix_server(lambda: _Seat(self), name)
        async with server:
            yield self
            for answer in self.answers:
                answer.cancel()
            await asyncio.gather(*self.answers, return_exceptions=True)
            for transport in self.transports:
                transport.abort()
            if self.transports:
                await self.is_empty.wait()


class _Seat(asyncio.Protocol):
    """One connection to the stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._frames = FrameBuffer()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by name
        self._stage.connections += 1
        self._stage.transports.add(self._transport)

    def connection_lost(self, _exc: Exception | None) -> None:
        assert self._transport is not None
        self._stage.transports.discard(self._transport)
        if not self._stage.transports:
            self._stage.is_empty.set()

    def data_received(self, data: bytes) -> None:
        for body in self._frames.feed(data):
            message = decode_message(body)
            self._stage.heard.put_nowait(message)
            self._stage.answers.add(asyncio.create_task(self._answer(message)))

    async def _answer(self, message: Message) -> None:
        assert self._transport is not None
        reply = await self._stage.play(message)
        if reply is None:
            self._transport.abort()
        else:
            self._transport.write(reply if isinstance(reply, bytes) else encode(reply))


async def accept(message: Message) -> Reply:
    return Recorded(message.call_id, 1, [], [], [])


def when_told(go_on: asyncio.Event) -> Play:
    """Accept what comes, but not before the test says so."""

    async def play(message: Message) -> Reply:
        await go_on.wait()
        return await accept(message)

    return play


async def hang_up(_: Message) -> None:
    return None


def rows(count: int) -> list[MeteredRequest]:
    return [request(1, str(n)) for n in range(count)]


async def refusal(awaited: Awaitable[object]) -> FareboxError:
    with pytest.raises(FareboxError) as refused:
        await awaited
    return refused.value


def kinds(outcomes: list[object]) -> list[ErrorKind | None]:
    return [o.kind if isinstance(o, FareboxError) else None for o in outcomes]

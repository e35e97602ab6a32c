"""The head of a request is bounded in size and in time, whoever sends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from farebox.api import head
from farebox.api.head import HEAD_BYTES_MAX, BoundedHead

READ_SECONDS_MAX = 20
LARGE = b"x" * (1024 * 1024)
GET = b"GET / HTTP/1.1\r\n"
GET_LAST = GET + b"Connection: close\r\n"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Tells how large the body was."""
    body = await Request(scope, receive).body()
    await PlainTextResponse(f"{len(body)} bytes")(scope, receive, send)


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


@asynccontextmanager
async def connected() -> AsyncIterator[Connection]:
    config = uvicorn.Config(echo, http=BoundedHead, ws="none", log_config=None)
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: BoundedHead(config, state, {}), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()
        server.close()
        await asyncio.gather(*state.tasks)


def run(coroutine: Coroutine[Any, Any, bytes]) -> bytes:
    return asyncio.run(coroutine)


async def told(*parts: bytes) -> bytes:
    async with connected() as connection:
        await connection.send(*parts)
        return await connection.said()


def test_a_head_within_the_bound_is_served() -> None:
    header = b"X: " + b"x" * (HEAD_BYTES_MAX - 100) + b"\r\n"
    assert run(told(GET_LAST, header, b"\r\n")).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "parts",
    [
        [GET + b"X: " + b"x" * HEAD_BYTES_MAX + b"\r\n\r\n"],
        [GET + b"X: y\r\n" * (HEAD_BYTES_MAX // 2) + b"\r\n"],
        [b"GET /" + b"x" * HEAD_BYTES_MAX + b" HTTP/1.1\r\n\r\n"],
        [GET + b"X: ", *[LARGE] * 100],
        [GET, *[b"X: y\r\n" * 100_000] * 100],
        [b"GET /", *[LARGE] * 100],
        [GET + b"X: ", *[b"x" * 1000] * 1000],
    ],
    ids=["header", "headers", "address", "endless", "endless headers", "endless address", "slow"],
)
def test_a_head_beyond_the_bound_is_431_and_read_no_further(parts: list[bytes]) -> None:
    said = run(told(*parts))
    # Who goes on sending may lose the answer with the connection.
    assert said.startswith(b"HTTP/1.1 431 ") or not said
    if said:
        assert said.endswith(b"must not be larger than 65536 bytes.")
        assert said.count(b"HTTP/1.1") == 1


def test_the_answer_is_told_to_who_waits_for_it() -> None:
    said = run(told(GET + b"X: " + b"x" * HEAD_BYTES_MAX + b"\r\n\r\n"))
    assert said.startswith(b"HTTP/1.1 431 ")


def test_bodies_are_not_heads_and_one_request_after_another_is_served() -> None:
    post = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (3 * len(LARGE))
    # All at once, so that heads begin in the midst of what comes.
    said = run(told(b"".join([post, LARGE * 3] * 3 + [GET] + [b"\r\n", GET_LAST, b"\r\n"])))
    assert said.count(b"HTTP/1.1 200 OK") == 5
    assert said.count(b"%d bytes" % (3 * len(LARGE))) == 3


def test_many_small_heads_on_one_connection_are_served() -> None:
    said = run(told(*[GET + b"X: " + b"x" * 1000 + b"\r\n\r\n"] * 200, GET_LAST + b"\r\n"))
    assert said.count(b"HTTP/1.1 200 OK") == 201


def test_what_is_no_http_is_400() -> None:
    said = run(told(b"\0" * 100))
    assert said.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("parts", [[], [b"GET"], [GET + b"X: y\r\n"], [GET + b"\r\n" + GET]])
def test_who_never_ends_a_head_is_hung_up_on(
    monkeypatch: pytest.MonkeyPatch, parts: list[bytes]
) -> None:
    monkeypatch.setattr(head, "HEAD_SECONDS_MAX", 0.05)
    assert b"HTTP/1.1 4" not in run(told(*parts))


def test_a_body_may_take_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """No deadline is left once the head has ended."""
    waiting: list[asyncio.TimerHandle | None] = []
    complete = BoundedHead.on_headers_complete

    def note(protocol: BoundedHead) -> None:
        waiting.append(protocol._deadline)
        complete(protocol)
        waiting.append(protocol._deadline)

    monkeypatch.setattr(BoundedHead, "on_headers_complete", note)
    assert b" 200 OK" in run(told(GET_LAST + b"\r\n"))
    before, after = waiting
    assert before is not None
    assert before.cancelled()
    assert after is None

"""The head of a request is bounded in size and in time, whoever sends it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from farebox.api.bounds import Bounds
from farebox.api.head import BoundedHead
from tests.support.connections import listening

BOUNDS = Bounds()
HEAD_BYTES_MAX = BOUNDS.head_bytes
LARGE = b"x" * (1024 * 1024)
GET = b"GET / HTTP/1.1\r\n"
GET_LAST = GET + b"Connection: close\r\n"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Tells how large the body was."""
    body = await Request(scope, receive).body()
    await PlainTextResponse(f"{len(body)} bytes")(scope, receive, send)


def run(coroutine: Coroutine[Any, Any, bytes]) -> bytes:
    return asyncio.run(coroutine)


async def told(*parts: bytes, bounds: Bounds = BOUNDS) -> bytes:
    async with listening(echo, bounds) as door:
        connection = await door.connect()
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
def test_who_never_ends_a_head_is_hung_up_on(parts: list[bytes]) -> None:
    assert b"HTTP/1.1 4" not in run(told(*parts, bounds=Bounds(head_seconds=0.05)))


def test_no_deadline_of_the_head_is_left_once_it_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
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

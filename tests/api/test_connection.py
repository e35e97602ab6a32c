"""A body may not come too slowly, and there may not be too many connections."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from farebox.api.bounds import Bounds
from farebox.api.errors import error_response
from farebox.core.errors import FareboxError
from farebox.engine.entropy import SystemEntropy
from tests.support.connections import READ_SECONDS_MAX, Connection, Looked, listening

POST = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n"
WANTED = 40
# Looked after every 20 ms: a byte must have come.
BRISK = Bounds(body_seconds=0.02, body_bytes=1)
# No client is as fast.
NEVER_FAST_ENOUGH = Bounds(body_seconds=0.05, body_bytes=1 << 40)
MUCH = b"x" * (1024 * 1024)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Tells how large the body was."""
    try:
        response: Response = PlainTextResponse(f"{len(await Request(scope, receive).body())} bytes")
    except ClientDisconnect:
        return
    except FareboxError as error:
        response = error_response(error, "general", "en", SystemEntropy())
    await response(scope, receive, send)


async def deaf(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers without a look at the body."""
    await PlainTextResponse("no")(scope, receive, send)


def run(coroutine: Coroutine[Any, Any, bytes]) -> bytes:
    return asyncio.run(asyncio.wait_for(coroutine, READ_SECONDS_MAX))


async def told(bounds: Bounds, *parts: bytes) -> bytes:
    async with listening(echo, bounds) as door:
        connection = await door.connect()
        await connection.send(*parts)
        return await connection.said()


@pytest.mark.parametrize(
    "parts",
    [
        [POST % WANTED + b"\r\n"],
        [POST % WANTED + b"\r\n" + b"x"],
        [POST % WANTED + b"\r\n", b"x", b"x"],
        [b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nxx"],
        [POST % WANTED + b"Expect: 100-continue\r\n\r\n"],
        [POST % 2 + b"\r\nxx" + POST % WANTED + b"\r\nx"],
    ],
    ids=["nothing", "with the head", "bytes", "chunk", "expected", "second"],
)
def test_a_body_that_stops_is_408_and_the_connection_ends(parts: list[bytes]) -> None:
    said = run(told(BRISK, *parts)).removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    if len(parts[0].split(b"POST")) > 2:
        first, _, said = said.partition(b"2 bytes")
        assert first.startswith(b"HTTP/1.1 200 ")
    assert said.startswith(b"HTTP/1.1 408 ")
    assert b"\r\nconnection: close\r\n" in said
    assert b'{"code":40801,"message":"The body came too slowly.' in said
    assert said.count(b"HTTP/1.1") == 1


def test_a_body_that_trickles_is_408_though_it_never_stops() -> None:
    async def trickle(connection: Connection) -> None:
        while True:
            await connection.send(b"x")
            await asyncio.sleep(0)

    async def said() -> bytes:
        async with listening(echo, NEVER_FAST_ENOUGH) as door:
            connection = await door.connect()
            await connection.send(POST % (1 << 40) + b"\r\n")
            trickling = asyncio.create_task(trickle(connection))
            answer = await connection.said()
            trickling.cancel()
            return answer

    answer = run(said())
    # Who goes on sending may lose the answer with the connection.
    assert answer.startswith(b"HTTP/1.1 408 ") or not answer


def test_a_slow_body_that_goes_on_coming_is_served_however_long_it_takes() -> None:
    async def said() -> bytes:
        async with listening(echo, BRISK, Looked) as door:
            connection = await door.connect()
            await connection.send(POST % WANTED + b"Connection: close\r\n\r\n", b"x")
            for _ in range(WANTED - 1):
                await Looked.looked.wait()
                Looked.looked.clear()
                await connection.send(b"x")
            return await connection.said()

    answer = run(said())
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"%d bytes" % WANTED)


def test_who_was_not_asked_for_the_body_yet_is_not_too_slow() -> None:
    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(3):
            await Looked.looked.wait()
            Looked.looked.clear()
        await echo(scope, receive, send)

    async def said(more: bytes, *parts: bytes) -> bytes:
        async with listening(late, BRISK._replace(body_seconds=0.2), Looked) as door:
            connection = await door.connect()
            head = POST % len(MUCH) + b"Connection: close\r\n"
            await connection.send(head + more + b"\r\n")
            if more:
                await connection.said_until(b"100 Continue\r\n\r\n")
            await connection.send(*parts)
            return await connection.said()

    # What has come is more than is taken from the line before somebody reads it.
    assert run(said(b"", MUCH)).endswith(b"%d bytes" % len(MUCH))
    assert run(said(b"Expect: 100-continue\r\n", MUCH)).endswith(b"%d bytes" % len(MUCH))


def test_the_rest_of_a_body_whose_request_was_answered_is_not_waited_for_for_ever() -> None:
    async def said() -> bytes:
        async with listening(deaf, BRISK) as door:
            connection = await door.connect()
            await connection.send(POST % WANTED + b"\r\n", b"x")
            return await connection.said()

    answer = run(said())
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.count(b"HTTP/1.1") == 1


def test_a_body_that_nobody_reads_takes_no_memory() -> None:
    async def held() -> bytes:
        ends = asyncio.Event()

        async def busy(scope: Scope, receive: Receive, send: Send) -> None:
            await ends.wait()
            await deaf(scope, receive, send)

        async with listening(busy, BRISK, Looked) as door:
            connection = await door.connect()
            sending = asyncio.create_task(connection.send(POST % (1 << 40) + b"\r\n", *[MUCH] * 40))
            for _ in range(3):
                await Looked.looked.wait()
                Looked.looked.clear()
            (protocol,) = door.state.connections
            body = protocol.cycle.body  # type: ignore[union-attr]
            ends.set()
            await sending
            return bytes(body)

    assert 0 < len(run(held())) <= 512 * 1024


def test_no_timer_is_left_of_a_body_that_has_ended() -> None:
    async def said() -> bytes:
        async with listening(echo, Bounds(body_seconds=0.05)) as door:
            connection = await door.connect()
            await connection.send(POST % 2 + b"\r\n", b"x")
            await connection.send(b"x")
            await connection.said_until(b"2 bytes")
            (protocol,) = door.state.connections
            assert protocol._look is None  # type: ignore[union-attr]
            await connection.send(POST % 3 + b"Connection: close\r\n\r\n", b"xxx")
            return await connection.said()

    assert run(said()).endswith(b"3 bytes")


GET = b"GET %s HTTP/1.1\r\nAccept-Language: ko\r\n\r\n"


def test_a_connection_too_many_is_503_and_those_before_it_go_on() -> None:
    async def said() -> bytes:
        async with listening(echo, Bounds(connections=2)) as door:
            first, second = await door.connect(), await door.connect()
            third = await door.connect()
            await third.send(GET % b"/v1/profile")
            refusal = await third.said()
            assert b"\r\nretry-after: 1\r\n" in refusal
            assert b"\r\nconnection: close\r\n" in refusal
            assert b'{"code":50303,' in refusal
            for connection in (first, second):
                await connection.send(GET % b"/")
                assert (await connection.said_until(b"0 bytes")).startswith(b"HTTP/1.1 200 ")
            return refusal

    assert run(said()).startswith(b"HTTP/1.1 503 ")


def test_the_quotas_have_their_own_shape_of_it() -> None:
    async def said() -> bytes:
        async with listening(echo, Bounds(connections=0)) as door:
            connection = await door.connect()
            await connection.send(GET % b"/v1/quotas")
            return await connection.said()

    assert b'"error_ref":"ERR-50303"' in run(said())


def test_a_place_that_was_left_can_be_taken_again() -> None:
    async def said() -> bytes:
        async with listening(echo, Bounds(connections=1)) as door:
            first = await door.connect()
            await first.close()
            while door.state.connections:  # noqa: ASYNC110 - nobody else would tell it
                await asyncio.sleep(0)
            second = await door.connect()
            await second.send(GET % b"/")
            return await second.said_until(b"0 bytes")

    assert run(said()).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "bounds",
    [
        Bounds(connections=0, surplus_seconds=0.02),
        Bounds(connections=-1, surplus_connections=1, surplus_seconds=60),
    ],
    ids=["says nothing", "far too many"],
)
def test_who_is_too_many_keeps_no_connection(bounds: Bounds) -> None:
    async def said() -> bytes:
        async with listening(echo, bounds) as door:
            return await (await door.connect()).said()

    assert run(said()) == b""

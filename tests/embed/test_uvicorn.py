"""The middleware behind a real server: a caller who hangs up, and a key that is never told on."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from threading import Thread

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from farebox import FareboxMiddleware
from tests.embed.market import MICRO, REDEEM, SEARCH, Buyer, Market
from tests.support.recorders import until

PART = b"x" * 4096
STOP_SECONDS_MAX = 20.0


async def _endless(_: Request) -> StreamingResponse:
    async def parts() -> AsyncIterator[bytes]:
        while True:
            yield PART
            await asyncio.sleep(0)

    return StreamingResponse(parts())


async def _unanswered(request: Request) -> Response:
    """Reads a body that never comes whole."""
    await request.body()
    raise AssertionError


@contextmanager
def serving(market: Market) -> Iterator[int]:
    """The port of a server."""
    app = Starlette(
        routes=[
            Route(SEARCH, _endless, methods=["POST"]),
            Route(REDEEM, _unanswered, methods=["POST"]),
        ],
        middleware=[Middleware(FareboxMiddleware, database=market.url)],
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, log_config=None, lifespan="on", timeout_graceful_shutdown=5)
        server = uvicorn.Server(config)
        thread = Thread(target=lambda: asyncio.run(server.serve([listening])))
        thread.start()
        until(lambda: server.started or not thread.is_alive())
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(STOP_SECONDS_MAX)
    assert not thread.is_alive()


def test_a_caller_who_hangs_up_while_a_stream_is_sent_has_had_it(market: Market) -> None:
    buyer = market.buyer()
    with serving(market) as port:
        url = f"http://127.0.0.1:{port}{SEARCH}"
        with httpx.stream("POST", url, headers=buyer.headers) as answer:
            assert answer.status_code == 200
            assert next(answer.iter_raw())
        (row,) = market.becomes(buyer, 1)
    assert (row.status_code, row.credits_micro) == (200, 3 * MICRO)
    assert row.response_size >= len(PART)


def test_a_caller_who_hangs_up_unanswered_has_had_nothing(market: Market) -> None:
    buyer = market.buyer(credits_per_month=30)
    with serving(market) as port:
        # What the first had taken would refuse the second, for ever.
        for _ in range(2):
            until(lambda: is_begun(port, buyer))
    assert market.rows(buyer) == []


def is_begun(port: int, buyer: Buyer) -> bool:
    """Whether a call reaches the app, which is told by the server when it begins to read.

    Its body is never sent: the caller hangs up.
    """
    head = f"POST {REDEEM} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n"
    with socket.create_connection(("127.0.0.1", port)) as calling:
        calling.sendall(f"{head}X-API-Key: {buyer.key}\r\n\r\n".encode())
        return calling.recv(100).startswith(b"HTTP/1.1 100")


def test_no_key_is_told_to_a_log(market: Market, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    buyer = market.buyer()
    unknown = buyer._replace(key="fbx_" + "q" * 38)
    with serving(market) as port:
        for who in (buyer, unknown):
            for path in (SEARCH, f"{SEARCH}?key={who.key}", f"/{who.key}"):
                url = f"http://127.0.0.1:{port}{path}"
                with httpx.stream("POST", url, headers=who.headers) as answer:
                    if answer.status_code != 200:
                        assert who.key not in answer.read().decode()
        market.becomes(buyer, 1)
    ours = [record for record in caplog.records if record.name.startswith("farebox")]
    assert ours
    for record in ours:
        assert buyer.key not in record.getMessage() + str(vars(record))
        assert unknown.key not in record.getMessage() + str(vars(record))

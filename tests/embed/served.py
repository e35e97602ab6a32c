"""An ASGI app behind the middleware, and a server's side of it that a test holds in its hands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from farebox.api.context import Context
from farebox.embed.asgi import FareboxMiddleware
from tests.embed.market import SEARCH, Buyer, Market, Row

BASE_URL = "http://api.test"
CLIENT = ("198.51.100.7", 4711)
Answerer = Callable[[Scope, Receive, Send], Awaitable[None]]


class Api:
    """Counts its calls and answers as it is told to."""

    def __init__(self) -> None:
        self.calls: list[Scope] = []
        self.status = 200
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b'{"data":[]}'
        self.answer: Answerer = self.plainly

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http", "it takes no part in the lifespan"
        self.calls.append(scope)
        await self.answer(scope, receive, send)

    async def plainly(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Read a body, answer in one part."""
        while (await receive()).get("more_body"):
            pass
        await send(start(self.status, self.headers))
        await send(part(self.body, is_last=True))


def start(status: int = 200, headers: list[tuple[bytes, bytes]] | None = None) -> Message:
    """The head of an answer."""
    return {"type": "http.response.start", "status": status, "headers": headers or []}


def part(body: bytes, *, is_last: bool = False) -> Message:
    """A part of an answer's body."""
    return {"type": "http.response.body", "body": body, "more_body": not is_last}


def scope_of(buyer: Buyer | None, path: str = SEARCH, *, method: str = "POST") -> Scope:
    """A call as a server tells of it."""
    headers = {} if buyer is None else buyer.headers
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": CLIENT,
        "server": ("api.test", 80),
    }


class Wire:
    """The server's side of one call; what was sent is in `sent`."""

    def __init__(self, *told: Message) -> None:
        self.told: asyncio.Queue[Message] = asyncio.Queue()
        for message in told or ({"type": "http.request", "body": b"", "more_body": False},):
            self.told.put_nowait(message)
        self.sent: list[Message] = []
        self.has_sent = asyncio.Event()

    async def receive(self) -> Message:
        return await self.told.get()

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        self.has_sent.set()

    def disconnect(self) -> None:
        """The client leaves."""
        self.told.put_nowait({"type": "http.disconnect"})

    @property
    def status(self) -> int:
        """The status that was sent."""
        status: int = self.sent[0]["status"]
        return status


class Behind:
    """A running middleware with a client of it."""

    def __init__(
        self, market: Market, middleware: FareboxMiddleware, client: httpx.AsyncClient
    ) -> None:
        self._market = market
        self.middleware = middleware
        self.client = client

    @property
    def context(self) -> Context:
        """The parts that it runs."""
        life = self.middleware._own_life
        assert life is not None
        running = life._running
        assert running is not None
        return running.parts.context

    async def rows(self, buyer: Buyer, count: int) -> list[Row]:
        """What was recorded of a buyer, once all is that was done."""
        await self.context.record_queue.flush()
        await self.context.self_recorder.flush()
        await self.context.refusal_log.flush()
        rows = self._market.rows(buyer)
        assert len(rows) == count, rows
        return rows

    async def search(self, buyer: Buyer | None, path: str = SEARCH, **more: Any) -> httpx.Response:  # noqa: ANN401
        """The answer to a call."""
        headers = {} if buyer is None else buyer.headers
        headers |= more.pop("headers", {})
        return await self.client.request(more.pop("method", "POST"), path, headers=headers, **more)


@asynccontextmanager
async def behind(market: Market, app: ASGIApp, **options: Any) -> AsyncIterator[Behind]:  # noqa: ANN401
    """An app behind the middleware, from the start of its lifespan to the end."""
    middleware = FareboxMiddleware(app, **{"database": market.url, **options})
    told, answers = Wire({"type": "lifespan.startup"}), asyncio.Queue[Message]()
    life = asyncio.create_task(middleware({"type": "lifespan"}, told.receive, answers.put))
    started = await answers.get()
    assert started["type"] == "lifespan.startup.complete", started
    transport = httpx.ASGITransport(app=middleware, client=CLIENT, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        yield Behind(market, middleware, client)
    told.told.put_nowait({"type": "lifespan.shutdown"})
    assert (await answers.get())["type"] == "lifespan.shutdown.complete"
    await life

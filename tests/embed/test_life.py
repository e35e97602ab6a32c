"""The life of the parts in an app: they start and stop with it, or begin at the first call."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from farebox import FareboxMiddleware
from farebox.api.context import Context
from farebox.embed.life import Life
from farebox.settings import Settings
from tests.embed.market import END_SECONDS_MAX, Market
from tests.embed.served import Api, Wire, behind, scope_of
from tests.support.recorders import nobody


async def _found(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.scope["farebox"].key_id)


def test_an_app_with_a_lifespan_of_its_own_keeps_it(market: Market) -> None:
    steps: list[str] = []

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        steps.append("begun")
        yield
        steps.append("ended")

    app = Starlette(
        routes=[Route("/people/search", _found, methods=["POST"])],
        middleware=[Middleware(FareboxMiddleware, database=market.url)],
        lifespan=lifespan,
    )

    async def run() -> None:
        buyer = market.buyer()
        async with app.router.lifespan_context(app):
            assert steps == ["begun"]
        told, answers = Wire({"type": "lifespan.startup"}), asyncio.Queue[Message]()
        life = asyncio.create_task(app({"type": "lifespan"}, told.receive, answers.put))
        assert (await answers.get())["type"] == "lifespan.startup.complete"
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
            answer = await client.post("/people/search", headers=buyer.headers)
            assert answer.text == buyer.key_id
        told.told.put_nowait({"type": "lifespan.shutdown"})
        assert (await answers.get())["type"] == "lifespan.shutdown.complete"
        await life
        assert steps == ["begun", "ended"] * 2
        # What waited was recorded before the end.
        assert len(market.rows(buyer)) == 1

    asyncio.run(run())


def test_an_app_whose_start_fails_has_nothing_left_running(market: Market) -> None:
    async def failing(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no"})

    async def run() -> None:
        middleware = FareboxMiddleware(failing, database=market.url)
        told, answers = Wire({"type": "lifespan.startup"}), asyncio.Queue[Message]()
        await middleware({"type": "lifespan"}, told.receive, answers.put)
        assert (await answers.get())["type"] == "lifespan.startup.failed"
        assert middleware._own_life is not None
        assert middleware._own_life._running is None

    asyncio.run(run())


def test_a_start_without_a_store_is_a_failed_start(tmp_path: Path) -> None:
    async def run() -> None:
        api = Api()
        middleware = FareboxMiddleware(api, database=f"sqlite:///{tmp_path}/none/farebox.db")
        told, answers = Wire({"type": "lifespan.startup"}), asyncio.Queue[Message]()
        await middleware({"type": "lifespan"}, told.receive, answers.put)
        failed = await answers.get()
        assert failed["type"] == "lifespan.startup.failed"
        assert failed["message"].startswith("Farebox can't start: ")
        assert api.calls == []

    asyncio.run(run())


def test_without_a_lifespan_the_first_calls_start_the_parts_once(market: Market) -> None:
    async def run() -> None:
        api, buyer = Api(), market.buyer()
        middleware = FareboxMiddleware(api, database=market.url)
        wires = [Wire() for _ in range(5)]
        life = middleware._own_life
        assert life is not None
        made: list[Settings] = []
        make = life._make

        def make_counted(settings: Settings) -> Context:
            made.append(settings)
            return make(settings)

        life._make = make_counted
        calls = [middleware(scope_of(buyer), wire.receive, wire.send) for wire in wires]
        await asyncio.gather(*calls)
        assert [wire.status for wire in wires] == [200] * 5
        assert len(made) == 1
        await life.stop()
        assert len(market.rows(buyer)) == 5
        # And once more, after an end.
        wire = Wire()
        await middleware(scope_of(buyer), wire.receive, wire.send)
        assert wire.status == 200
        await life.stop()
        await life.stop()

    asyncio.run(run())


def test_without_a_lifespan_the_end_of_the_loop_stops_the_parts(market: Market) -> None:
    buyer = market.buyer()

    async def run() -> None:
        middleware = FareboxMiddleware(Api(), database=market.url)
        for _ in range(5):
            wire = Wire()
            await middleware(scope_of(buyer), wire.receive, wire.send)
            assert wire.status == 200

    asyncio.run(run())
    assert len(market.rows(buyer)) == 5


def test_another_event_loop_has_parts_of_its_own(market: Market) -> None:
    buyer = market.buyer()
    middleware = FareboxMiddleware(Api(), database=market.url)
    life = middleware._own_life
    assert life is not None

    async def run() -> int:
        wire = Wire()
        await middleware(scope_of(buyer), wire.receive, wire.send)
        await life.stop()
        return wire.status

    assert [asyncio.run(run()) for _ in range(2)] == [200, 200]
    assert len(market.rows(buyer)) == 2


def test_while_the_parts_can_not_start_all_are_told_so_and_it_is_tried_again(
    own_market: Market,
) -> None:
    seconds = 100.0

    async def run() -> None:
        nonlocal seconds
        api, buyer = Api(), own_market.buyer()
        middleware = FareboxMiddleware(
            api, database=own_market.url, mount="/farebox", exclude=["/health"]
        )
        life = middleware._own_life
        assert life is not None
        life._monotonic = lambda: seconds
        own_market.kill_recorder()
        make, away = life._make, nobody()
        made: list[Settings] = []

        def make_broken(settings: Settings) -> Context:
            made.append(settings)
            context = make(settings)
            context.link._process = away
            return context

        life._make = make_broken
        for path in ("/people/search", "/people/search", "/farebox/profile"):
            wire = Wire()
            await middleware(scope_of(buyer, path), wire.receive, wire.send)
            assert wire.status == 503
            assert b"retry-after" in dict(wire.sent[0]["headers"])
        assert len(made) == 1
        assert api.calls == []
        wire = Wire()
        await middleware(scope_of(None, "/health"), wire.receive, wire.send)
        assert wire.status == 200
        away.end(END_SECONDS_MAX)
        life._make = make
        own_market.restart()
        other = own_market.buyer()
        wire = Wire()
        await middleware(scope_of(other), wire.receive, wire.send)
        assert wire.status == 503
        seconds += 2
        wire = Wire()
        await middleware(scope_of(other), wire.receive, wire.send)
        assert wire.status == 200
        await life.stop()

    asyncio.run(run())


def test_an_app_does_not_audit_the_books_by_itself(market: Market) -> None:
    async def run() -> None:
        async with behind(market, Api(), audit_minutes=1) as server:
            life = server.middleware._own_life
            assert isinstance(life, Life)
            assert life._settings.audit_minutes == 0

    asyncio.run(run())


def test_websockets_pass(market: Market) -> None:
    seen: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    async def run() -> None:
        wire = Wire()
        middleware = FareboxMiddleware(app, database=market.url)
        await middleware({"type": "websocket", "path": "/a"}, wire.receive, wire.send)

    asyncio.run(run())
    assert seen == ["websocket"]


@pytest.mark.parametrize("count", [1, 3])
def test_stopping_without_a_start_does_nothing(market: Market, count: int) -> None:
    async def run() -> None:
        middleware = FareboxMiddleware(Api(), database=market.url)
        assert middleware._own_life is not None
        for _ in range(count):
            await middleware._own_life.stop()

    asyncio.run(run())


def test_no_folder_to_meet_in_is_told_like_a_store_that_is_away(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    app = FareboxMiddleware(
        Starlette(routes=[Route("/people/search", _found, methods=["POST"])]),
        database="postgresql://127.0.0.1:1/farebox",
        secret="a secret that all machines share, of the tests",
        runtime_dir=str(shared),
    )

    async def run() -> list[int]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
            key = {"X-API-Key": "a-key-of-nobody"}
            calls = [await client.post("/people/search", headers=key) for _ in range(2)]
            return [call.status_code for call in calls]

    assert asyncio.run(run()) == [503, 503]

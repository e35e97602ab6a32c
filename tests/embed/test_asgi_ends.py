"""How a call ends behind the ASGI middleware: with every fault, nothing leaks and nothing is free.

Each buyer may make one call a day: what leaks is seen, since the next call is refused.
"""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from farebox.embed import passage
from farebox.engine.spawn import RecorderProcess
from tests.embed.market import END_SECONDS_MAX, MICRO, SEARCH, Market
from tests.embed.served import Answerer, Api, Wire, behind, part, scope_of, start

ONE_A_DAY: dict[str, Any] = {"limits": {"api": {"day": 1}}, "credits_per_month": 3}
# Costs nothing and counts to no limit: it is admitted without units, so also while none come.
FREE = "/free"


class OwnError(Exception):
    """What the app raises."""


async def _raises(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise OwnError


async def _raises_midway(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send(start(200, [(b"farebox-credits", b"9")]))
    await send(part(b"12345"))
    raise OwnError


@pytest.mark.parametrize(("answer", "size"), [(_raises, 0), (_raises_midway, 5)])
def test_a_call_in_which_the_app_raises_is_free_and_told_on(
    market: Market, answer: Answerer, size: int
) -> None:
    async def run() -> None:
        api, buyer = Api(), market.buyer(**ONE_A_DAY)
        api.answer = answer
        async with behind(market, api) as server:
            wire = Wire()
            with pytest.raises(OwnError):
                await server.middleware(scope_of(buyer), wire.receive, wire.send)
            (row,) = await server.rows(buyer, 1)
            assert (row.status_code, row.credits_micro, row.response_size) == (500, 0, size)
            # It was a call all the same; but its credits are there.
            assert (await server.search(buyer)).status_code == 429

    asyncio.run(run())


async def _waits_for_more(_scope: Scope, receive: Receive, _send: Send) -> None:
    """As frameworks do: whoever leaves is seen when the body is read."""
    message = await receive()
    while message["type"] != "http.disconnect":
        message = await receive()
    raise OwnError


async def _goes_quietly(_scope: Scope, receive: Receive, _send: Send) -> None:
    message = await receive()
    while message["type"] != "http.disconnect":
        message = await receive()


@pytest.mark.parametrize("answer", [_waits_for_more, _goes_quietly])
def test_a_caller_who_leaves_unanswered_has_taken_nothing(market: Market, answer: Answerer) -> None:
    async def run() -> None:
        api, buyer = Api(), market.buyer(**ONE_A_DAY)
        async with behind(market, api) as server:
            for _ in range(5):
                api.answer = answer
                wire = Wire()
                wire.disconnect()
                call = server.middleware(scope_of(buyer), wire.receive, wire.send)
                await asyncio.gather(call, return_exceptions=True)
                assert wire.sent == []
            await server.rows(buyer, 0)
            api.answer = api.plainly
            assert (await server.search(buyer)).status_code == 200
            assert (await server.search(buyer)).status_code == 429

    asyncio.run(run())


def test_a_caller_who_leaves_midway_has_had_the_call(market: Market) -> None:
    async def streams(_scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        await send(part(b"12345"))
        message = await receive()
        while message["type"] != "http.disconnect":
            message = await receive()
        raise OwnError

    async def run() -> None:
        api, buyer = Api(), market.buyer(**ONE_A_DAY)
        api.answer = streams
        async with behind(market, api) as server:
            wire = Wire()
            wire.disconnect()
            with pytest.raises(OwnError):
                await server.middleware(scope_of(buyer), wire.receive, wire.send)
            (row,) = await server.rows(buyer, 1)
            assert (row.status_code, row.credits_micro) == (200, 3 * MICRO)
            assert row.response_size == 5

    asyncio.run(run())


def test_a_server_that_can_send_no_more_ends_the_call_as_it_was(market: Market) -> None:
    async def run() -> None:
        api, buyer = Api(), market.buyer(**ONE_A_DAY)
        async with behind(market, api) as server:
            wire = Wire()

            async def broken(message: Message) -> None:
                await wire.send(message)
                raise BrokenPipeError

            with pytest.raises(BrokenPipeError):
                await server.middleware(scope_of(buyer), wire.receive, broken)
            (row,) = await server.rows(buyer, 1)
            assert (row.status_code, row.credits_micro) == (200, 3 * MICRO)

    asyncio.run(run())


@pytest.mark.parametrize("parts", [0, 1])
def test_a_cancelled_call_leaks_nothing(market: Market, parts: int) -> None:
    reached = asyncio.Event()

    async def hangs(_scope: Scope, _receive: Receive, send: Send) -> None:
        if parts:
            await send(start())
            await send(part(b"12345"))
        reached.set()
        await asyncio.Event().wait()

    async def run() -> None:
        api, buyer = Api(), market.buyer(**ONE_A_DAY)
        api.answer = hangs
        async with behind(market, api) as server:
            wire = Wire()
            call = server.middleware(scope_of(buyer), wire.receive, wire.send)
            task = asyncio.ensure_future(call)
            await reached.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            rows = await server.rows(buyer, parts)
            assert [(row.status_code, row.response_size) for row in rows] == [(200, 5)] * parts
            assert server.context.gatekeeper.held(buyer.profile_id).micro == 0
            api.answer = api.plainly
            assert (await server.search(buyer)).status_code == (429 if parts else 200)

    asyncio.run(run())


def test_a_call_that_is_cancelled_before_its_admission_leaks_nothing(market: Market) -> None:
    async def run() -> None:
        api = Api()
        async with behind(market, api) as server:
            for steps in range(40):
                buyer = market.buyer(**ONE_A_DAY)
                await server.context.follower.catch_up()
                wire = Wire()
                call = server.middleware(scope_of(buyer), wire.receive, wire.send)
                task = asyncio.ensure_future(call)
                for _ in range(steps):
                    await asyncio.sleep(0)
                task.cancel()
                (outcome,) = await asyncio.gather(task, return_exceptions=True)
                was_cancelled = isinstance(outcome, BaseException)
                if was_cancelled:
                    assert server.context.gatekeeper.held(buyer.profile_id).micro == 0
                # Else it had been answered.
                status = (await server.search(buyer)).status_code
                assert status == (200 if was_cancelled else 429), steps

    asyncio.run(run())


def test_a_stream_is_settled_when_it_is_done(market: Market) -> None:
    async def run() -> None:
        api, buyer = Api(), market.buyer()
        goes_on = asyncio.Event()

        async def streams(_scope: Scope, _receive: Receive, send: Send) -> None:
            await send(start(200, [(b"farebox-credits", b"2")]))
            await send(part(b"12345"))
            await goes_on.wait()
            await send(part(b"67"))
            await send(part(b"", is_last=True))

        api.answer = streams
        async with behind(market, api) as server:
            wire = Wire()
            call = server.middleware(scope_of(buyer), wire.receive, wire.send)
            task = asyncio.ensure_future(call)
            while len(wire.sent) < 2:
                wire.has_sent.clear()
                await wire.has_sent.wait()
            await server.rows(buyer, 0)
            assert server.context.gatekeeper.held(buyer.profile_id).micro == 3 * MICRO
            goes_on.set()
            await task
            (row,) = await server.rows(buyer, 1)
            assert (row.response_size, row.credits_micro) == (7, 2 * MICRO)
            assert server.context.gatekeeper.held(buyer.profile_id).micro == 0

    asyncio.run(run())


def test_a_head_costs_what_its_get_costs_and_has_no_size(market: Market) -> None:
    async def run() -> None:
        api, buyer = Api(), market.buyer(unmapped="allow")
        market.call(
            "log_types.create", slug="read", name="R", credits=2, method="GET", path="/read/{x}"
        )
        async with behind(market, api) as server:
            assert (await server.search(buyer, "/read/1", method="HEAD")).status_code == 200
            (row,) = await server.rows(buyer, 1)
            assert (row.method, row.response_size, row.credits_micro) == ("HEAD", 0, 2 * MICRO)

    asyncio.run(run())


def test_without_the_store_nothing_is_let_through_and_nothing_is_lost(own_market: Market) -> None:
    async def run() -> None:
        api, buyer = Api(), own_market.buyer()
        async with behind(own_market, api) as server:
            assert (await server.search(buyer)).status_code == 200
            link = server.context.link
            away = link._process = RecorderProcess(["false"])
            own_market.kill_recorder()
            answers = [await server.search(buyer) for _ in range(3)]
            while answers[-1].status_code == 200:
                # What was drawn before may be spent, for the moment that its lease holds.
                answers.append(await server.search(buyer))
            refused = answers[-1]
            assert refused.status_code == 503
            assert int(refused.headers["retry-after"]) >= 1
            assert set(refused.json()) == {"code", "message", "details"}
            admitted = len(api.calls)
            assert (await server.search(buyer)).status_code == 503
            unknown = buyer._replace(key="fbx_" + "y" * 30)
            assert (await server.search(unknown)).status_code in {401, 503}
            assert len(api.calls) == admitted
            away.end(END_SECONDS_MAX)
            link._process = own_market.process
            own_market.restart()
            assert (await server.search(buyer)).status_code == 200
            rows = await server.rows(buyer, len(api.calls))
            assert {row.credits_micro for row in rows} == {3 * MICRO}

    asyncio.run(run())


def test_more_than_can_be_recorded_is_not_admitted(market: Market) -> None:
    async def run() -> None:
        api, buyer = Api(), market.buyer()
        async with behind(market, api) as server:
            server.context.record_queue._waiting_max = 0
            refused = await server.search(buyer)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
            assert api.calls == []

    asyncio.run(run())


def test_the_end_of_an_answer_waits_for_the_commit_where_that_is_on(own_market: Market) -> None:
    async def run() -> None:
        api, buyer = Api(), own_market.buyer(unmapped="allow")

        async def in_parts(_scope: Scope, _receive: Receive, send: Send) -> None:
            await send(start())
            await send(part(b"12345"))
            await send(part(b"67", is_last=True))

        api.answer = in_parts
        async with behind(own_market, api, middleware_wait=True) as server:
            assert (await server.search(buyer, FREE)).status_code == 200
            assert len(own_market.rows(buyer)) == 1
            pid = own_market.process.pid
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
            wire = Wire()
            call = server.middleware(scope_of(buyer, FREE), wire.receive, wire.send)
            task = asyncio.ensure_future(call)
            while len(wire.sent) < 2:
                wire.has_sent.clear()
                await wire.has_sent.wait()
            for _ in range(100):
                await asyncio.sleep(0)
            assert [message.get("body") for message in wire.sent] == [None, b"12345"]
            os.kill(pid, signal.SIGCONT)
            await task
            assert wire.sent[-1]["body"] == b"67"
            assert len(own_market.rows(buyer)) == 2

    asyncio.run(run())


@pytest.mark.parametrize("is_whole", [True, False])
def test_an_answer_that_can_not_be_recorded_in_time_is_none(
    own_market: Market, monkeypatch: pytest.MonkeyPatch, *, is_whole: bool
) -> None:
    monkeypatch.setattr("farebox.embed.exchange.COMMIT_SECONDS_MAX", 0.05)
    assert passage.COMMIT_SECONDS_MAX > 1

    async def run() -> None:
        api, buyer = Api(), own_market.buyer(unmapped="allow")

        async def in_parts(_scope: Scope, _receive: Receive, send: Send) -> None:
            await send(start())
            await send(part(b"12345"))
            await send(part(b"67", is_last=True))

        async with behind(own_market, api, middleware_wait=True) as server:
            assert (await server.search(buyer, FREE)).status_code == 200
            api.answer = api.plainly if is_whole else in_parts
            pid = own_market.process.pid
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
            wire = Wire()
            call = server.middleware(scope_of(buyer, FREE), wire.receive, wire.send)
            (outcome,) = await asyncio.gather(call, return_exceptions=True)
            os.kill(pid, signal.SIGCONT)
            if is_whole:
                assert (outcome, wire.status) == (None, 503)
                assert dict(wire.sent[0]["headers"])[b"retry-after"] == b"1"
            else:
                # Its end never comes, which is how a server tells.
                assert isinstance(outcome, Exception)
                assert wire.sent[-1]["more_body"] is True
            # It was made, and is recorded all the same.
            await server.rows(buyer, 2)

    asyncio.run(run())


def test_a_path_that_is_sent_as_a_file_has_its_declared_size(market: Market) -> None:
    async def by_path(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send(start(200, [(b"content-length", b"1234")]))
        await send({"type": "http.response.pathsend", "path": "/tmp/a"})  # noqa: S108

    async def run() -> None:
        api, buyer = Api(), market.buyer()
        api.answer = by_path
        async with behind(market, api) as server:
            wire = Wire()
            await server.middleware(scope_of(buyer), wire.receive, wire.send)
            (row,) = await server.rows(buyer, 1)
            assert (row.response_size, row.credits_micro, row.path) == (1234, 3 * MICRO, SEARCH)

    asyncio.run(run())

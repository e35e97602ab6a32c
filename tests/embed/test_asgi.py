"""The ASGI middleware: what is admitted, refused and charged, and what the app and callers see."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

import farebox
from farebox.core.errors import (
    INVALID_KEY,
    IP_NOT_ALLOWED,
    MISSING_KEY,
    NO_API_ACCESS,
    NO_CREDITS,
    UNMAPPED_DENIED,
)
from farebox.core.identity import format_uuid
from farebox.embed.asgi import FareboxMiddleware
from farebox.embed.options import Given
from farebox.embed.passage import Passed
from farebox.settings import SETTINGS, SettingsError
from tests.embed.market import MICRO, REDEEM, SEARCH, Buyer, Market
from tests.embed.served import CLIENT, Api, Behind, Wire, behind, part, scope_of, start


def test_the_package_offers_it() -> None:
    assert farebox.FareboxMiddleware is FareboxMiddleware


async def _reach(market: Market) -> None:
    buyer = market.buyer(limits={"api": {"hour": 10}})
    api = Api()
    async with behind(market, api) as server:
        answer = await server.search(buyer, SEARCH + "?page=2", content=b"{}")
        assert (answer.status_code, answer.content) == (200, api.body)
        assert answer.headers["ratelimit-policy"] == '"hour";q=10;w=3600'
        assert answer.headers["ratelimit"].startswith('"hour";r=9;t=')
        assert answer.headers["farebox-credits-left"] == "997"
        (row,) = await server.rows(buyer, 1)
    (scope,) = api.calls
    assert scope["farebox"] == Passed(
        buyer.profile_id,
        buyer.key_id,
        scope["farebox"].user_id,
        format_uuid(row.query_log_id),
    )
    assert (row.method, row.path, row.status_code) == ("POST", SEARCH, 200)
    assert (row.credits_micro, row.response_size) == (3 * MICRO, len(api.body))
    assert (row.ip, row.channel, row.authentication_type) == (CLIENT[0], "api", "x-api-key")


def test_an_admitted_call_reaches_the_app_and_is_recorded_with_what_was_answered(
    market: Market,
) -> None:
    asyncio.run(_reach(market))


async def _refuse(market: Market) -> None:
    api = Api()
    barred = market.buyer(is_api_access_available=False)
    poor = market.buyer(credits_per_month=2)
    limited = market.buyer(limits={"api": {"day": 0}})
    open_ = market.buyer(unmapped="allow")
    closed = market.buyer()
    elsewhere = market.buyer(ip_ranges=["192.0.2.0/24"])
    async with behind(market, api) as server:
        for buyer, path, status, kind in (
            (None, SEARCH, 401, MISSING_KEY),
            (closed._replace(key="fbx_" + "x" * 30), SEARCH, 401, INVALID_KEY),
            (barred, SEARCH, 403, NO_API_ACCESS),
            (elsewhere, SEARCH, 403, IP_NOT_ALLOWED),
            (closed, "/people/else", 403, UNMAPPED_DENIED),
            (poor, SEARCH, 402, NO_CREDITS),
        ):
            answer = await server.search(buyer, path)
            assert answer.status_code == status, (path, answer.text)
            body = answer.json()
            assert set(body) == {"code", "message", "details"}
            assert body["code"] == kind.code, body
            assert answer.headers["cache-control"] == "no-store"
        answer = await server.search(limited)
        assert (answer.status_code, set(answer.json())) == (429, {"error"})
        assert 1 <= int(answer.headers["retry-after"]) <= 25 * 3600
        assert '"day";r=0' in answer.headers["ratelimit"]
        korean = await server.search(poor, headers={"Accept-Language": "ko"})
        assert korean.headers["content-language"] == "ko"
        assert not korean.json()["message"].isascii()
        assert api.calls == []
        assert (await server.search(open_, "/people/else")).status_code == 200
        assert [row.credits_micro for row in await server.rows(open_, 1)] == [0]
    assert market.refusals(poor) == {"credits": 2}
    assert market.refusals(limited) == {"day": 1}
    assert market.rows(poor) == market.rows(limited) == market.rows(barred) == []


def test_what_is_refused_never_reaches_the_app(market: Market) -> None:
    asyncio.run(_refuse(market))


async def _url(market: Market) -> None:
    api, buyer = Api(), market.buyer()
    async with behind(market, api) as server:
        for query in (f"q={buyer.key}", "x-api-key=abc", "X_API_KEY=abc"):
            answer = await server.search(buyer, f"{SEARCH}?{query}")
            assert answer.status_code == 400, query
            assert buyer.key not in answer.text
        assert (await server.search(None, f"{SEARCH}?token=abc")).status_code == 400
        # A parameter of the provider's own; and a key where it belongs.
        assert (await server.search(buyer, f"{SEARCH}?token=abc&key=")).status_code == 200
        bearer = {"Authorization": f"Bearer {buyer.key}"}
        assert (await server.search(None, headers=bearer)).status_code == 200
        rows = await server.rows(buyer, 2)
    assert len(api.calls) == 2
    assert {row.authentication_type for row in rows} == {"x-api-key", "authorization"}


def test_a_key_in_the_url_is_refused(market: Market) -> None:
    asyncio.run(_url(market))


async def _price(market: Market, caplog: pytest.LogCaptureFixture) -> None:
    api, buyer = Api(), market.buyer()
    for status, told, credits in (
        (200, [], 15.0),
        (200, ["0"], 0),
        (200, ["12.5"], 12.5),
        (200, ["30"], 30),
        (200, ["47.000001"], 47.000001),
        (200, ["a lot"], 15),
        (200, ["-1"], 15),
        (200, ["1e3"], 15),
        (200, ["1.0000001"], 15),
        (200, ["1", "2"], 15),
        (404, [], 0),
        (500, [], 0),
        (422, ["2"], 2),
        (404, ["a lot"], 0),
    ):
        async with behind(market, api) as server:
            before = len(market.rows(buyer))
            api.status = status
            api.headers = [(b"Farebox-Credits", text.encode()) for text in told]
            api.headers.append((b"content-type", b"text/plain"))
            caplog.clear()
            answer = await server.search(buyer, REDEEM)
            assert answer.status_code == status
            assert "farebox-credits" not in answer.headers
            assert answer.headers["content-type"] == "text/plain"
            row = (await server.rows(buyer, before + 1))[-1]
            assert row.credits_micro == round(credits * MICRO), (status, told)
            is_wrong = told and credits in {15, 0} and told not in (["0"], ["12.5"])
            assert bool(caplog.messages) == bool(is_wrong), caplog.messages


def test_the_app_tells_what_a_call_costs(market: Market, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "farebox.embed")
    asyncio.run(_price(market, caplog))


async def _beyond(market: Market) -> None:
    api, buyer = Api(), market.buyer(credits_per_month=40)
    async with behind(market, api) as server:
        api.headers = [(b"farebox-credits", b"100")]
        assert (await server.search(buyer, REDEEM)).status_code == 200
        await server.rows(buyer, 1)
        answer = await server.search(buyer, SEARCH)
        assert answer.status_code == 402
    (row,) = market.rows(buyer)
    assert row.credits_micro == 100 * MICRO


def test_a_cost_beyond_the_hold_is_charged_below_zero_and_nothing_more_is_admitted(
    market: Market,
) -> None:
    asyncio.run(_beyond(market))


async def _paths(market: Market) -> None:
    api, buyer = Api(), market.buyer()
    care = {"paths": ["/people/*", "/docs*"], "exclude": ["/people/health", "/docs*"]}
    async with behind(market, api, **care) as server:
        for path in ("/", "/else", "/people", "/people/health", "/docs", "/docs/a"):
            assert (await server.search(None, path)).status_code == 200, path
            assert "farebox" not in api.calls[-1], path
        for path in (SEARCH, "/people/health/", "/people/healthy"):
            assert (await server.search(None, path)).status_code == 401, path
        wire = Wire()
        # What an app may take for another path than the one that is excluded.
        dotted = scope_of(buyer, "/docs/../people/search")
        await server.middleware(dotted, wire.receive, wire.send)
        assert wire.status == 400
    assert market.rows(buyer) == []


def test_what_is_excluded_passes_untouched(market: Market) -> None:
    asyncio.run(_paths(market))


def test_a_path_is_priced_as_the_app_sees_it(market: Market) -> None:
    async def run() -> None:
        api, buyer = Api(), market.buyer()
        async with behind(market, api) as server:
            mounted = {**scope_of(buyer, "/sub" + SEARCH), "root_path": "/sub"}
            encoded = scope_of(buyer, "/people/search?/else")
            for scope, status in ((mounted, 200), (encoded, 403)):
                wire = Wire()
                await server.middleware(scope, wire.receive, wire.send)
                assert wire.status == status
            (row,) = await server.rows(buyer, 1)
            assert (row.path, row.credits_micro) == (SEARCH, 3 * MICRO)

    asyncio.run(run())


async def _mount(market: Market) -> None:
    api, buyer = Api(), market.buyer(limits={"api": {"day": 50}})
    async with behind(market, api, mount="/farebox") as server:
        for _ in range(3):
            assert (await server.search(buyer)).status_code == 200
        await server.rows(buyer, 3)
        daily = await server.search(buyer, "/farebox/api_keys/usage/daily", json=market.today())
        totals = daily.json()["data"]["totals"]
        assert (totals["requests"], totals["credits"]) == (3, 9)
        usage = await server.search(buyer, "/farebox/profile/usage", method="GET")
        assert usage.json()["data"]["total_max_api_daily_query"] == 50
        quotas = await server.search(buyer, "/farebox/v1/quotas", method="GET")
        assert (quotas.json()["credits_used"], quotas.json()["credits_left"]) == (9, 991)
        assert (await server.search(None, "/farebox/profile")).status_code == 401
        for path in ("/farebox", "/farebox/v1/authorize", "/farebox/admin/v1/plans"):
            assert (await server.search(buyer, path)).status_code == 404, path
        assert len(api.calls) == 3
        # Its neighbour is the app's.
        assert (await server.search(buyer, "/fareboxes")).status_code == 403
        rows = await server.rows(buyer, 6)
    assert [row.channel for row in rows] == ["api"] * 3 + ["self"] * 3
    assert [row.credits_micro for row in rows[3:]] == [0, 0, 0]


def test_customers_read_their_usage_in_the_same_app(market: Market) -> None:
    asyncio.run(_mount(market))


async def four_times(server: Behind, buyer: Buyer) -> list[int]:
    """The statuses of calls that one caller makes one after the other."""
    return [(await server.search(buyer)).status_code for _ in range(4)]


async def _concurrently(market: Market) -> None:
    api = Api()

    async def slowly(_scope: Scope, _receive: Receive, send: Send) -> None:
        await asyncio.sleep(0)
        await send(start())
        await send(part(b"ok", is_last=True))

    api.answer = slowly
    plans: tuple[tuple[dict[str, Any], str], ...] = (
        ({"limits": {"api": {"hour": 100}}}, "hour"),
        ({"credits_per_month": 300}, "credits"),
    )
    for plan, reason in plans:
        buyer = market.buyer(**plan)
        api.calls.clear()
        async with behind(market, api) as server:
            answers = await asyncio.gather(*(four_times(server, buyer) for _ in range(64)))
            statuses = [status for four in answers for status in four]
            rows = await server.rows(buyer, 100)
        assert statuses.count(200) == len(api.calls) == 100
        assert statuses.count(429 if reason == "hour" else 402) == 4 * 64 - 100
        assert sum(row.credits_micro for row in rows) == 300 * MICRO
        assert market.refusals(buyer) == {reason: 4 * 64 - 100}


def test_64_callers_at_once_are_admitted_exactly_to_the_limit(market: Market) -> None:
    asyncio.run(_concurrently(market))


async def _without_waiting(market: Market) -> None:
    buyer = market.buyer(limits={"api": {"hour": 500, "day": 1_000}})

    async def at_once(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send(start())
        await send(part(b"ok", is_last=True))

    api = Api()
    api.answer = at_once
    async with behind(market, api) as server:
        for _ in range(8):
            assert (await server.search(buyer)).status_code == 200
        wire = Wire()
        call = server.middleware(scope_of(buyer), wire.receive, wire.send)
        # One step is all: whatever waits for a thread, a file or a socket gives the loop away.
        with pytest.raises(StopIteration):
            call.send(None)
        assert wire.status == 200


def test_a_call_is_admitted_and_settled_without_giving_the_loop_away(market: Market) -> None:
    asyncio.run(_without_waiting(market))


async def _captured(market: Market) -> None:
    buyer = market.buyer()
    api = Api()
    api.body = b"answered " * 20
    async with behind(market, api, capture_bodies=True, capture_bytes=60) as server:
        assert (await server.search(buyer, content=b"asked " * 20)).status_code == 200
        await server.rows(buyer, 1)
    ((headers, request_body, response_body),) = market.captured(buyer)
    assert request_body == ("asked " * 20)[:60]
    assert response_body == ("answered " * 20)[:60]
    assert buyer.key not in headers + request_body + response_body
    assert "***" in headers or json.loads(headers) == {}


def test_bodies_are_captured_where_that_is_on(market: Market) -> None:
    asyncio.run(_captured(market))


def test_every_setting_is_an_argument_with_a_type() -> None:
    assert list(Given.__annotations__) == [setting.field for setting in SETTINGS]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"databse": "sqlite:///a.db"}, "databse"),
        ({"database": "a.db"}, "FAREBOX_DATABASE"),
        ({"middleware_wait": "perhaps"}, "FAREBOX_MIDDLEWARE_WAIT"),
        ({"mount": "farebox"}, "mount"),
        ({"mount": "/"}, "mount"),
        ({"exclude": "/health"}, "exclude"),
        ({"exclude": ["health"]}, "exclude"),
        ({"paths": ["/a*b"]}, "paths"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError) as raised:
        FareboxMiddleware(Api(), **options)
    assert named in str(raised.value)


def test_the_environment_gives_the_settings_and_arguments_go_first(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAREBOX_DATABASE", market.url)
    monkeypatch.setenv("FAREBOX_KEY_HEADERS", "my-key")

    async def run() -> None:
        buyer = market.buyer()
        for headers, options in (
            ({"My-Key": buyer.key}, {}),
            ({"Your-Key": buyer.key}, {"key_headers": ["your-key", "her-key"]}),
            ({"Her-Key": buyer.key}, {"key_headers": "your-key,her-key"}),
        ):
            async with behind(market, Api(), **{"database": market.url, **options}) as server:
                answer = await server.search(None, headers=headers)
                assert answer.status_code == 200, answer.text

    asyncio.run(run())

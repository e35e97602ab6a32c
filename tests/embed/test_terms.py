"""The terms of plans and keys behind the middleware: shadow mode, suspension, caps, revocation."""

from __future__ import annotations

import asyncio
import time

from farebox.core.errors import KEY_CAP_REACHED, SUSPENDED
from tests.embed.market import MICRO, Market
from tests.embed.served import Api, behind


def test_a_plan_in_shadow_mode_counts_what_it_would_refuse_and_lets_it_through(
    market: Market,
) -> None:
    async def run() -> None:
        api = Api()
        buyer = market.buyer(is_shadow=True, limits={"api": {"day": 2}}, credits_per_month=9)
        async with behind(market, api) as server:
            statuses = [(await server.search(buyer)).status_code for _ in range(5)]
            assert statuses == [200] * 5
            rows = await server.rows(buyer, 5)
            # It is charged all the same, below zero.
            assert sum(row.credits_micro for row in rows) == 15 * MICRO
            assert market.refusals(buyer) == {"day": 3}

    asyncio.run(run())


def test_a_revoked_key_is_refused_also_where_nobody_has_told_of_it(market: Market) -> None:
    async def run() -> None:
        api, buyer = Api(), market.buyer()
        async with behind(market, api) as server:
            assert (await server.search(buyer)).status_code == 200
            follower = server.context.follower
            assert follower._task is not None
            follower._task.cancel()
            market.call("keys.revoke", profile_id=buyer.profile_id, key_id=buyer.key_id)
            # A second later what is in memory is too old to decide by.
            follower._monotonic = lambda: time.monotonic() + 1
            assert (await server.search(buyer)).status_code == 401
            assert len(api.calls) == 1

    asyncio.run(run())


def test_a_suspended_workspace_is_told_so(market: Market) -> None:
    async def run() -> None:
        api, buyer = Api(), market.buyer()
        async with behind(market, api) as server:
            market.call("workspaces.change", profile_id=buyer.profile_id, status="suspended")
            await server.context.follower.catch_up()
            refused = await server.search(buyer)
            assert (refused.status_code, refused.json()["code"]) == (403, SUSPENDED.code)
            assert api.calls == []

    asyncio.run(run())


def test_a_key_spends_no_more_than_its_cap(market: Market) -> None:
    async def run() -> None:
        api, buyer = Api(), market.buyer()
        made = market.call("keys.create", profile_id=buyer.profile_id, credits_cap=10)
        capped = buyer._replace(key_id=made.key_id, key=made.key)
        async with behind(market, api) as server:
            statuses = [(await server.search(capped)).status_code for _ in range(5)]
            assert statuses == [200, 200, 200, 402, 402]
            assert (await server.search(capped)).json()["code"] == KEY_CAP_REACHED.code
            assert (await server.search(buyer)).status_code == 200

    asyncio.run(run())


def test_the_older_headers_are_told_where_that_is_on(market: Market) -> None:
    async def run() -> None:
        api, buyer = Api(), market.buyer(limits={"api": {"hour": 2}})
        async with behind(market, api, legacy_rate_headers=True) as server:
            admitted = [await server.search(buyer) for _ in range(2)]
            assert [one.headers["x-ratelimit-remaining"] for one in admitted] == ["1", "0"]
            refused = await server.search(buyer)
            assert (refused.status_code, refused.headers["x-ratelimit-limit"]) == (429, "2")

    asyncio.run(run())

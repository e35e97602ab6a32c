"""What several workers do once, and count together."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from farebox.engine.clock import wall_ms
from tests.support.faces import SETTINGS, Authorize, Shop, statuses, storm
from tests.support.receiver import Receiver
from tests.support.recorders import until
from tests.support.server import RunningServer
from tests.workers.wires import ask_all, wires_to

LIMIT = 60
CALLERS = 16
MINUTE_MS = 60_000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    settings = {
        **SETTINGS,
        "FAREBOX_WORKERS": "4",
        "FAREBOX_CUSTOMER_REQUESTS_PER_MINUTE": str(LIMIT),
        "FAREBOX_WEBHOOK_PRIVATE": "on",
    }
    with RunningServer(tmp_path, settings) as server:
        yield server


def test_the_customers_own_calls_are_limited_over_all_workers(server: RunningServer) -> None:
    """One after the other to the call, or nearly; at once by no more than were under way."""
    shop = Shop(server)
    one, many = (shop.customer({}).seats[0].key for _ in range(2))
    # All of it in one minute.
    until(lambda: wall_ms() % MINUTE_MS < MINUTE_MS - 15_000)

    async def one_by_one() -> Counter[int]:
        codes: Counter[int] = Counter()
        async with wires_to(server.url, CALLERS) as wires:
            for number in range(LIMIT + 2 * CALLERS):
                heard = await wires[number % CALLERS].ask("GET", "/user", {"X-API-Key": one})
                codes[heard.status] += 1
        return codes

    async def at_once() -> Counter[int]:
        codes: Counter[int] = Counter()
        async with wires_to(server.url, CALLERS) as wires:
            while codes[httpx.codes.TOO_MANY_REQUESTS] < CALLERS:
                heard_all = await ask_all(wires, "GET", "/user", {"X-API-Key": many})
                codes.update(heard.status for heard in heard_all)
        return codes

    codes = asyncio.run(one_by_one())
    assert set(codes) == {200, 429}
    assert LIMIT <= codes[200] <= LIMIT + CALLERS
    assert LIMIT <= asyncio.run(at_once())[200] < 2 * LIMIT


def test_an_alert_is_told_once(server: RunningServer) -> None:
    shop = Shop(server)
    customer = shop.customer({"limits": {"api": {"hour": LIMIT}}})
    with Receiver() as receiver:
        server.make("/webhooks", {"url": receiver.url})
        alert = {"kind": "hour", "channel": "api", "thresholds": [50, 100]}
        server.make(f"/workspaces/{customer.profile_id}/alerts", alert)
        face, keys = Authorize(server.token), [customer.seats[0].key]
        left = LIMIT

        def is_used_up() -> bool:
            nonlocal left
            calling = storm(face, server.url, keys, tries=range(left), callers=4)
            left -= statuses(asyncio.run(calling)).get(200, 0)
            return left == 0

        until(is_used_up, seconds_max=30)

        def told() -> list[int]:
            bodies = [msgspec.json.decode(got.body) for got in receiver.received]
            return sorted(body["data"]["threshold_percent"] for body in bodies)

        until(lambda: len(told()) >= 2)
        # Whoever else might have told has had rounds to do so.
        until(lambda: shop.breakdown(customer)[0] == LIMIT)
        server.restart()
        assert told() == [50, 100]
        assert len({got.headers["webhook-id"] for got in receiver.received}) == 2

"""Several workers are one server: the load is spread, and whichever answers, it knows the same."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from collections.abc import Callable

import httpx
import pytest

from tests.support.faces import SLUG, Shop
from tests.support.processes import is_alive
from tests.support.recorders import until
from tests.support.server import RunningServer
from tests.workers.conftest import HOLD_SECONDS, WORKERS
from tests.workers.wires import CONNECTIONS, ask_all, hear_left, sockets, wires_to

REVOKED_SECONDS_MAX = 1.0
SELF_SECONDS_MAX = 1.0
HELD_SECONDS_MAX = 1.0
# Of a worker that was killed: silence, its longest reservation, and what the machine takes.
RELEASED_SECONDS_MAX = 15.0
HEALTHY = 'farebox_http_requests_total{method="GET",route="/healthz",status="200"}'
RESTARTS = "farebox_worker_restarts_total"


def kill_one(server: RunningServer) -> None:
    """Kill a worker, and wait until another has its place."""
    before = server.workers()
    os.kill(before[0], signal.SIGKILL)
    until(lambda: not is_alive(before[0]))
    wait_for_all(server, lambda now: not set(now) <= set(before))


def wait_for_all(server: RunningServer, is_so: Callable[[list[int]], bool]) -> None:
    """Wait until there are as many workers as there should be, and all can be asked."""

    def are_there() -> bool:
        now = server.workers()
        return len(now) == WORKERS and is_so(now)

    until(are_there)


def told(server: RunningServer, series: str) -> int:
    """What `/metrics` says of a series."""
    return number_in(server.client.get(f"{server.url}/metrics").content, series)


def number_in(text: bytes, series: str) -> int:
    found = re.search(rf"^{re.escape(series)} (\S+)$", text.decode(), re.MULTILINE)
    assert found is not None, series
    return int(float(found[1]))


def test_64_connections_are_spread_over_all_workers(shop: Shop) -> None:
    async def spread() -> list[int]:
        pids = shop.server.workers()
        before = [sockets(pid) for pid in pids]
        async with wires_to(shop.server.url):
            return [sockets(pid) - n for pid, n in zip(pids, before, strict=True)]

    counts = asyncio.run(spread())
    assert len(counts) == WORKERS
    assert sum(counts) == CONNECTIONS
    assert min(counts) >= CONNECTIONS // WORKERS // 4


def test_whichever_is_asked_tells_the_numbers_of_all_and_a_killed_one_takes_none_away(
    shop: Shop,
) -> None:
    server = shop.server
    asyncio.run(healthy(server))
    before = told(server, HEALTHY)

    async def scrapes() -> list[bytes]:
        async with wires_to(server.url) as wires:
            return [heard.body for heard in await ask_all(wires, "GET", "/metrics")]

    for text in asyncio.run(scrapes()):
        assert number_in(text, HEALTHY) == before + CONNECTIONS
    restarts = told(server, RESTARTS)
    kill_one(server)
    assert told(server, HEALTHY) == before + CONNECTIONS
    assert told(server, RESTARTS) == restarts + 1


async def healthy(server: RunningServer) -> None:
    async with wires_to(server.url):
        pass


def test_a_worker_that_dies_is_replaced_and_the_server_goes_on(shop: Shop) -> None:
    kill_one(shop.server)

    async def codes() -> set[int]:
        async with wires_to(shop.server.url) as wires:
            return {heard.status for heard in await ask_all(wires, "GET", "/readyz")}

    assert asyncio.run(codes()) == {httpx.codes.OK}


def test_a_revoked_key_is_refused_by_every_worker_within_a_second(shop: Shop) -> None:
    customer = shop.customer({})
    key = customer.seats[0].key
    path = f"/admin/v1/workspaces/{customer.profile_id}/keys"
    (listed,) = shop.server.call("GET", path).json()["data"]
    asked = {"key": key, "log_type": SLUG}

    async def story() -> None:
        bearer = {"Authorization": f"Bearer {shop.server.token}"}
        async with wires_to(shop.server.url) as wires:
            for heard in await ask_all(wires, "POST", "/v1/authorize", bearer, asked):
                assert heard.json()["allowed"]
            gone = await wires[0].ask("DELETE", f"{path}/{listed['key_id']}", bearer)
            assert gone.status == httpx.codes.NO_CONTENT
            revoked = time.monotonic()
            while True:
                began = time.monotonic()
                heard_all = await ask_all(wires, "POST", "/v1/authorize", bearer, asked)
                if not any(heard.json()["allowed"] for heard in heard_all):
                    return
                assert began - revoked < REVOKED_SECONDS_MAX

    asyncio.run(story())


def test_a_customers_call_is_in_the_reports_of_every_worker_within_a_second(shop: Shop) -> None:
    customer = shop.customer({})
    key = {"X-API-Key": customer.seats[0].key}

    async def story() -> None:
        async with wires_to(shop.server.url, 16) as wires:
            for heard in await ask_all(wires, "GET", "/user", key):
                assert heard.status == httpx.codes.OK
            answered = time.monotonic()
            missing = list(wires)
            while missing:
                began = time.monotonic()
                body = {"page": 1, "per_page": 100}
                heard_all = await ask_all(missing, "POST", "/api_keys/logs", key, body)
                missing = [
                    wire
                    for wire, heard in zip(missing, heard_all, strict=True)
                    if heard.json()["data"]["pagination"]["total_entries"] < len(wires)
                ]
                assert not missing or began - answered < SELF_SECONDS_MAX

    asyncio.run(story())


def test_what_one_worker_admitted_another_settles_or_voids_once(shop: Shop) -> None:
    customer = shop.customer({"credits_per_month": 100, "limits": {"api": {"hour": 1_000}}})
    key = customer.seats[0].key

    async def story() -> list[int]:
        bearer = {"Authorization": f"Bearer {shop.server.token}"}
        asked = {"key": key, "log_type": SLUG}
        async with wires_to(shop.server.url) as wires:
            admitted = await ask_all(wires, "POST", "/v1/authorize", bearer, asked)
            ids = [heard.json()["reservation_id"] for heard in admitted]
            ends = []
            for number, reservation_id in enumerate(ids):
                body: dict[str, object] = {"reservation_id": reservation_id}
                path = "/v1/void" if number % 4 == 0 else "/v1/settle"
                body |= {} if number % 4 == 0 else {"status_code": 200}
                pair = [wires[number - 1], wires[number - 7]]
                ends += await ask_all(pair, "POST", path, bearer, body)
            return [heard.status for heard in ends]

    assert set(asyncio.run(story())) == {httpx.codes.OK}
    settled = CONNECTIONS * 3 // 4
    until(lambda: shop.breakdown(customer) == (settled, settled), seconds_max=10)
    until(lambda: shop.balance(customer.seats[0]) == 100 - settled, seconds_max=10)


def test_every_worker_tells_the_same_credits_while_reservations_are_open(shop: Shop) -> None:
    customer = shop.customer({"credits_per_month": 100})
    key = customer.seats[0].key

    async def story() -> None:
        bearer = {"Authorization": f"Bearer {shop.server.token}"}
        asked = {"key": key, "log_type": SLUG}
        async with wires_to(shop.server.url, 32) as wires:
            admitted = await ask_all(wires, "POST", "/v1/authorize", bearer, asked)
            ids = [heard.json()["reservation_id"] for heard in admitted]
            await hear_left(wires, key, 100 - len(ids), HELD_SECONDS_MAX)
            for number, reservation_id in enumerate(ids):
                body: dict[str, object] = {"reservation_id": reservation_id}
                path, more = (
                    ("/v1/void", {}) if number % 4 else ("/v1/settle", {"status_code": 200})
                )
                heard = await wires[number - 1].ask("POST", path, bearer, body | more)
                assert heard.status == httpx.codes.OK
            # So short before its time a hold that another one has ended is its own worker's.
            seconds_max = HOLD_SECONDS + HELD_SECONDS_MAX
            await hear_left(wires, key, 100 - len(ids) // 4, seconds_max)

    asyncio.run(story())


def test_what_a_killed_worker_held_is_left_again_when_its_reservations_are_over(
    shop: Shop,
) -> None:
    customer = shop.customer({"credits_per_month": 100})
    key = customer.seats[0].key

    async def admit() -> None:
        bearer = {"Authorization": f"Bearer {shop.server.token}"}
        asked = {"key": key, "log_type": SLUG}
        async with wires_to(shop.server.url, 32) as wires:
            for heard in await ask_all(wires, "POST", "/v1/authorize", bearer, asked):
                assert heard.json()["allowed"]

    async def hear_all() -> None:
        async with wires_to(shop.server.url, 32) as wires:
            await hear_left(wires, key, 100, RELEASED_SECONDS_MAX)

    asyncio.run(admit())
    kill_one(shop.server)
    assert shop.balance(customer.seats[0]) < 100
    asyncio.run(hear_all())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_when_the_supervisor_ends_no_worker_stays(shop: Shop, number: signal.Signals) -> None:
    server = shop.server
    workers = server.workers()
    assert len(workers) == WORKERS
    status = server.stop(number)
    assert status == (0 if number is signal.SIGTERM else -number)
    until(lambda: not any(map(is_alive, workers)), seconds_max=30)
    server.start()

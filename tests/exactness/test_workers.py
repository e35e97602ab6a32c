"""Four workers on one SQLite file and 64 callers: no limit is passed, and all of it can be had.

A worker may refuse while units lie idle with another; that is a moment's, and asked again the rest
is there. So callers here go on until they have all of it, and are told no more than that.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from farebox.service.audit import run_audit
from farebox.store.sqlite.database import open_reader
from tests.support.faces import (
    CALLERS,
    SETTINGS,
    SLUG,
    TRIES,
    USAGE,
    Authorize,
    Customer,
    Face,
    Shop,
    Verdict,
    forward_auth,
    storm,
)
from tests.support.recorders import until
from tests.support.server import ADMIN_TOKEN, RunningServer
from tests.support.wire import Wire

LIMIT = 1_000
WORKERS = 4
HOLD_SECONDS = 2
# What lies idle with a worker goes back when it has not been needed for a while.
IDLE_SECONDS_MAX = 30
REFUSED = {"credits": 402}
FACES = {"authorize": Authorize(ADMIN_TOKEN), "forward_auth": forward_auth()}

by_face = pytest.mark.parametrize("face", FACES.values(), ids=FACES)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("workers")
    settings = {
        **SETTINGS,
        "FAREBOX_WORKERS": str(WORKERS),
        "FAREBOX_RESERVATION_SECONDS": str(HOLD_SECONDS),
    }
    with RunningServer(folder, settings) as server:
        yield Shop(server)
        assert server.stop() == 0, server.errors()
        with closing(open_reader(server.database)) as reader:
            assert run_audit(reader, integrity=True).agrees


class Persistent:
    """A face of callers that call again when the connection breaks, or there is a 503."""

    is_naming = False

    def __init__(self, face: Face) -> None:
        self._face = face
        self.broken = 0

    async def call(self, wire: Wire, key: str) -> Verdict:
        """Call until there is a verdict."""
        while True:
            try:
                return await self._face.call(wire, key)
            except (OSError, AssertionError):
                # The call may have been admitted all the same: that is held, and used.
                self.broken += 1


def admitted(
    shop: Shop, face: Face, customer: Customer, name: str, tries: int, callers: int = CALLERS
) -> int:
    """How many of some calls are let through; the others are refused by the one limit."""
    keys = [seat.key for seat in customer.seats]
    calling = storm(face, shop.server.url, keys, tries=range(tries), callers=callers)
    codes = Counter(verdict.status for _, verdict in asyncio.run(calling))
    assert set(codes) <= {200, REFUSED.get(name, 429)}
    return codes[200]


def use_up(shop: Shop, face: Face, customer: Customer, name: str, left: int) -> None:
    """Call until nothing is left, and a little more."""

    def is_used_up() -> bool:
        nonlocal left
        left -= admitted(shop, face, customer, name, left + 5, callers=8)
        assert left >= 0
        return left == 0

    until(is_used_up, seconds_max=IDLE_SECONDS_MAX)
    assert admitted(shop, face, customer, name, 2 * CALLERS) == 0


def check_all_can_be_had(shop: Shop, face: Face, customer: Customer, name: str) -> None:
    """1,300 tries, and then more for what was refused too early: 1,000 in all, and no more."""
    let_through = admitted(shop, face, customer, name, TRIES)
    assert LIMIT // 2 < let_through <= LIMIT
    use_up(shop, face, customer, name, LIMIT - let_through)
    until(lambda: shop.breakdown(customer)[0] == LIMIT, seconds_max=10)


@by_face
@pytest.mark.parametrize("name", ["hour", "day", "month"])
def test_a_limit_is_shared_by_all_workers_to_the_request(shop: Shop, face: Face, name: str) -> None:
    customer = shop.customer({"limits": {"api": {name: LIMIT // 2}}}, users=2)
    check_all_can_be_had(shop, face, customer, name)
    for seat in customer.seats:
        assert shop.usage(seat)[USAGE[name]] == LIMIT


@by_face
@pytest.mark.parametrize("price", [1, 3])
def test_a_balance_is_shared_by_all_workers_to_the_credit(
    shop: Shop, face: Face, price: int
) -> None:
    plan: dict[str, Any] = {"credits_per_month": 700 * price, "prices": {SLUG: price}}
    customer = shop.customer(plan, topup=300 * price)
    check_all_can_be_had(shop, face, customer, "credits")
    assert shop.breakdown(customer) == (LIMIT, LIMIT * price)
    assert shop.balance(customer.seats[0]) == 0


@pytest.mark.parametrize("name", ["hour", "credits"])
def test_a_worker_that_is_killed_in_the_midst_lets_no_limit_be_passed(
    shop: Shop, name: str
) -> None:
    plan = {"credits_per_month": LIMIT} if name == "credits" else {"limits": {"api": {name: LIMIT}}}
    customer = shop.customer(plan)
    face = Persistent(Authorize(shop.server.token))
    keys = [customer.seats[0].key]

    async def story() -> int:
        going = asyncio.create_task(storm(face, shop.server.url, keys))
        await asyncio.wait([going], timeout=0.15)
        os.kill(shop.server.workers()[1], signal.SIGKILL)
        return sum(verdict.status == 200 for _, verdict in await going)

    let_through = asyncio.run(story())
    assert 0 < let_through <= LIMIT
    until(lambda: len(shop.server.workers()) == WORKERS)
    requests, _ = shop.breakdown(customer)
    # A settlement whose answer was lost is a request, too.
    assert let_through <= requests <= min(LIMIT, let_through + face.broken)
    if name == "credits":
        # What the dead one held comes back after its longest reservation.
        use_up(shop, face, customer, name, LIMIT - requests)
    else:
        # What it had drawn of a window is used until that closes.
        assert requests + admitted(shop, face, customer, name, TRIES) <= LIMIT

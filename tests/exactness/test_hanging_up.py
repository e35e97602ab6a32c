"""Callers that hang up before the answer: what they had asked for leaks nothing.

An admission that nobody heard of is held until it expires, and counts in its windows as every
admission does. A settlement that nobody heard of is recorded once or not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import httpx
import pytest

from farebox.service.audit import run_audit
from farebox.store.sqlite.database import open_reader
from tests.support.faces import SETTINGS, SLUG, Authorize, Customer, Shop, statuses, storm
from tests.support.recorders import until
from tests.support.server import ADMIN_TOKEN, RunningServer
from tests.support.wire import Wire

HOUR, CREDITS = 600, 800
TIMES = 100
CALLERS = 32
HEADERS = {"Authorization": f"Bearer {ADMIN_TOKEN}"}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    settings = {**SETTINGS, "FAREBOX_RESERVATION_SECONDS": "1"}
    with RunningServer(tmp_path, settings) as server:
        yield Shop(server)


async def hang_up_all(url: str, key: str) -> int:
    """Hang up after authorizing, after settling, and not at all; how many heard they settled."""
    asked = {"key": key, "log_type": SLUG}
    numbers = iter(range(3 * TIMES))
    settled = count()

    async def caller() -> None:
        async with Wire(url) as wire:
            for number in numbers:
                if number % 3 == 0:
                    await wire.send_and_hang_up("POST", "/v1/authorize", HEADERS, asked)
                    continue
                told = (await wire.ask("POST", "/v1/authorize", HEADERS, asked)).json()
                body = {"reservation_id": told["reservation_id"], "status_code": 200}
                if number % 3 == 1:
                    await wire.send_and_hang_up("POST", "/v1/settle", HEADERS, body)
                else:
                    heard = await wire.ask("POST", "/v1/settle", HEADERS, body)
                    assert heard.status == httpx.codes.OK
                    next(settled)

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return next(settled)


def drawn(server: RunningServer, customer: Customer, name: str) -> int:
    with closing(open_reader(server.database)) as reader:
        ((units,),) = reader.connection.execute(
            "select coalesce(sum(units), 0) from draws where profile_id = ? and name = ?",
            (customer.profile_id, name),
        )
        assert isinstance(units, int)
        return units


def test_callers_that_hang_up_leave_nothing_held(shop: Shop) -> None:
    server = shop.server
    plan = {"credits_per_month": CREDITS, "limits": {"api": {"hour": HOUR}}}
    customer = shop.customer(plan)
    (seat,) = customer.seats
    heard = asyncio.run(hang_up_all(server.url, seat.key))
    assert heard == TIMES

    def is_all_there() -> bool:
        """What was settled is charged, and nothing is held besides."""
        requests, charged = shop.breakdown(customer)
        return shop.balance(seat) == CREDITS - charged and TIMES <= requests <= 2 * TIMES

    until(is_all_there, seconds_max=10)
    # All that is free goes back as it stops; what is drawn then has been admitted and not settled.
    server.restart()
    until(lambda: drawn(server, customer, "credits") == 0, seconds_max=10)
    requests, _ = shop.breakdown(customer)
    admitted = requests + drawn(server, customer, "hour")
    assert 2 * TIMES <= admitted <= 3 * TIMES
    rest = HOUR - admitted
    face = Authorize(ADMIN_TOKEN)
    verdicts = asyncio.run(storm(face, server.url, [seat.key], tries=range(rest + 20)))
    assert statuses(verdicts) == {200: rest, 429: 20}
    assert shop.balance(seat) == CREDITS - requests - rest
    with closing(open_reader(server.database)) as reader:
        assert run_audit(reader, integrity=True).agrees

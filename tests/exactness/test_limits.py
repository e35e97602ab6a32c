"""64 callers at once against a limit of 1,000: exactly 1,000 are let through, through each face.

The reports say the same to the request, and every refusal names the limit that is used up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from typing import Any, cast

import pytest

from farebox.core.calendar import WindowKind, natural_window, zone_of
from farebox.engine.clock import wall_ms
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
    statuses,
    storm,
)
from tests.support.recorders import until
from tests.support.server import ADMIN_TOKEN, RunningServer

LIMIT = 1_000
FACES = {"authorize": Authorize(ADMIN_TOKEN), "forward_auth": forward_auth()}

by_face = pytest.mark.parametrize("face", FACES.values(), ids=FACES)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("limits")
    with RunningServer(folder, SETTINGS) as server:
        yield Shop(server)
        server.stop()
        with closing(open_reader(server.database)) as reader:
            assert run_audit(reader, integrity=True).agrees


def limited(name: str, limit: int) -> dict[str, Any]:
    return {"limits": {"api": {name: limit}}}


def check_refusals(
    verdicts: list[Verdict], customer: Customer, name: str, *, is_naming: bool
) -> None:
    """Each names the limit, and a window tells when it begins anew."""
    ends_ms = None
    if name != "credits":
        zone = zone_of(customer.timezone)
        ends_ms = natural_window(cast("WindowKind", name), wall_ms(), zone).end_ms
    for _, denied_by, retry_after in verdicts:
        assert not is_naming or denied_by == name
        if ends_ms is None:
            assert retry_after is None
        else:
            assert retry_after is not None
            # Since the answer a moment has passed.
            assert 0 <= retry_after * 1000 - (ends_ms - wall_ms()) < 60_000


def run(
    shop: Shop, face: Face, customer: Customer, name: str, status: int, limit: int = LIMIT
) -> dict[str, int]:
    """Let the storm come and look at what it leaves; how many each key got through."""
    keys = [seat.key for seat in customer.seats]
    verdicts = asyncio.run(storm(face, shop.server.url, keys))
    assert statuses(verdicts) == {200: limit, status: TRIES - limit}
    refused = [verdict for _, verdict in verdicts if verdict.status != 200]
    check_refusals(refused, customer, name, is_naming=face.is_naming)
    # A record or a refusal may be on its way, but is not one too many.
    until(lambda: shop.breakdown(customer)[0] == limit, seconds_max=10)
    until(lambda: shop.refusals(customer) == {name: TRIES - limit}, seconds_max=10)
    return {key: sum(k == key and v.status == 200 for k, v in verdicts) for key in keys}


@by_face
@pytest.mark.parametrize("name", ["hour", "day", "month"])
def test_a_limit_of_a_workspace_admits_exactly_as_many_as_it_says(
    shop: Shop, face: Face, name: str
) -> None:
    """Two users with half of it each, who share it."""
    customer = shop.customer(limited(name, LIMIT // 2), users=2)
    got = run(shop, face, customer, name, 429)
    assert all(got.values())
    for seat in customer.seats:
        assert shop.usage(seat)[USAGE[name]] == LIMIT
    assert shop.breakdown(customer) == (LIMIT, LIMIT)


@by_face
@pytest.mark.parametrize("price", [1, 3])
def test_a_balance_admits_exactly_as_many_as_it_pays_for(
    shop: Shop, face: Face, price: int
) -> None:
    """Of two grants, one of which expires."""
    plan = {"credits_per_month": 700 * price, "prices": {SLUG: price}}
    customer = shop.customer(plan, topup=300 * price)
    run(shop, face, customer, "credits", 402)
    assert shop.breakdown(customer) == (LIMIT, LIMIT * price)
    assert shop.balance(customer.seats[0]) == 0


@by_face
def test_a_limit_of_a_user_is_the_users_own(shop: Shop, face: Face) -> None:
    """Where nothing is shared, one who has used it up takes nothing from another."""
    customer = shop.customer(limited("hour", LIMIT), is_shared=False, users=2)
    first, second = customer.seats
    alone = customer._replace(seats=(first,))
    run(shop, face, alone, "hour", 429)
    verdicts = asyncio.run(storm(face, shop.server.url, [second.key], tries=range(4 * CALLERS)))
    assert statuses(verdicts) == {200: 4 * CALLERS}
    until(lambda: shop.usage(second)[USAGE["hour"]] == 4 * CALLERS, seconds_max=10)
    assert shop.usage(first)[USAGE["hour"]] == LIMIT
    assert shop.breakdown(customer)[0] == LIMIT + 4 * CALLERS


@by_face
def test_what_one_limit_refuses_takes_nothing_of_another(shop: Shop, face: Face) -> None:
    """Refused for want of credits, calls leave the hour as it was: with credits they get it all."""
    customer = shop.customer({"credits_per_month": LIMIT, **limited("hour", TRIES)})
    run(shop, face, customer, "credits", 402)
    assert shop.usage(customer.seats[0])[USAGE["hour"]] == LIMIT
    shop.grant(customer, TRIES)
    verdicts = asyncio.run(storm(face, shop.server.url, [customer.seats[0].key], tries=range(400)))
    rest = TRIES - LIMIT
    assert statuses(verdicts) == {200: rest, 429: 400 - rest}
    until(lambda: shop.breakdown(customer) == (TRIES, TRIES), seconds_max=10)
    assert shop.balance(customer.seats[0]) == LIMIT


def test_two_processes_share_a_limit_to_the_request(shop: Shop) -> None:
    """Together they pass it at no time; what one of them hands back as it stops, the other has."""
    customer = shop.customer(limited("hour", LIMIT))
    keys = [customer.seats[0].key]
    face = Authorize(shop.server.token)
    folder = shop.server.folder / "another"
    folder.mkdir()
    settings = {**SETTINGS, "FAREBOX_DATABASE": f"sqlite:///{shop.server.database}"}

    async def both(urls: list[str]) -> list[Verdict]:
        storms = (storm(face, url, keys, tries=range(LIMIT // 2 + 50), callers=32) for url in urls)
        return [verdict for verdicts in await asyncio.gather(*storms) for _, verdict in verdicts]

    with RunningServer(folder, settings) as another:
        verdicts = asyncio.run(both([shop.server.url, another.url]))
        admitted = sum(verdict.status == 200 for verdict in verdicts)
        assert LIMIT // 2 < admitted <= LIMIT
        assert another.process is not None
        another.process.terminate()
        assert another.process.wait(30) == 0
        another.process = None  # its recorder goes on with the other server

    def is_used_up() -> bool:
        """What was found to have nothing left is asked about again a moment later only."""
        nonlocal admitted
        again = storm(face, shop.server.url, keys, tries=range(LIMIT - admitted + 5), callers=8)
        admitted += statuses(asyncio.run(again)).get(200, 0)
        return admitted >= LIMIT

    until(is_used_up, seconds_max=10)
    over = asyncio.run(storm(face, shop.server.url, keys, tries=range(20)))
    assert (admitted, statuses(over)) == (LIMIT, {429: 20})
    assert shop.usage(customer.seats[0])[USAGE["hour"]] == LIMIT

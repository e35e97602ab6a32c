"""The customer endpoints' own limit: 300 a minute for each workspace, then 429 (SPEC 3.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from farebox.api.own_limit import OwnLimit
from farebox.core.errors import FareboxError
from farebox.core.request import Channel
from farebox.engine.link import unavailable
from farebox.store.contract import Reader
from tests.support.api import Api
from tests.support.harness import Harness
from tests.support.shop import CUSTOMER_CALLS, Shop

MINUTE_MS = 60_000


@pytest.fixture
def small_shop(tmp_path: Path) -> Iterator[Shop]:
    settings = {"FAREBOX_CUSTOMER_REQUESTS_PER_MINUTE": "3"}
    with Harness(tmp_path) as harness, Api(harness, settings) as api:
        yield Shop(api)


def test_calls_beyond_the_limit_are_429_until_the_next_minute(small_shop: Shop) -> None:
    shop = small_shop
    shop.harness.clock.advance(17_500)
    _, second_key = shop.make_key()
    for key in (shop.key, second_key, shop.key):
        assert shop.api.post("/user", key).status_code == 200
    for method, path, body in CUSTOMER_CALLS:
        refused = shop.api.request(method, path, key=second_key, body=body)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "43")
    assert shop.api.post("/user", shop.other_key).status_code == 200
    shop.harness.clock.advance(42_499)
    assert shop.api.post("/user", shop.key).headers["retry-after"] == "1"
    shop.harness.clock.advance(1)
    assert shop.api.post("/user", shop.key).status_code == 200


def test_a_refused_call_is_no_request(small_shop: Shop) -> None:
    for _ in range(5):
        small_shop.api.post("/user", small_shop.key)
    small_shop.api.flush()
    assert small_shop.harness.select("select count(*) from requests") == [(3,)]


def test_a_call_with_a_wrong_key_takes_nothing_from_anyone(small_shop: Shop) -> None:
    for _ in range(9):
        assert small_shop.api.post("/user", "no-such-key").status_code == 401
    assert small_shop.api.post("/user", small_shop.key).status_code == 200


def test_the_default_is_300_a_minute(shop: Shop) -> None:
    codes = [shop.api.post("/user", shop.key).status_code for _ in range(301)]
    assert codes == [200] * 300 + [429]


class Others:
    """What all processes have recorded."""

    def __init__(self, harness: Harness) -> None:
        self._harness = harness
        self.reads = 0
        self.flushes = 0
        self.is_away = False

    async def flush(self) -> None:
        self.flushes += 1

    async def read(self, work: Callable[[Reader], int]) -> int:
        self.reads += 1
        if self.is_away:
            raise unavailable("gone")  # noqa: EM101 - not a message to format
        return work(self._harness.reader)


@pytest.fixture
def others(tmp_path: Path) -> Iterator[Others]:
    with Harness(tmp_path) as harness:
        yield Others(harness)


def test_each_minute_and_workspace_counts_alone(others: Others) -> None:
    async def story() -> FareboxError:
        limit = OwnLimit(1, others.read, others.flush)
        await limit.take(1, MINUTE_MS)
        await limit.take(2, MINUTE_MS)
        await limit.take(1, 2 * MINUTE_MS)
        with pytest.raises(FareboxError) as refused:
            await limit.take(1, 3 * MINUTE_MS - 1)
        return refused.value

    assert asyncio.run(story()).retry_after_seconds == 1


def test_what_other_processes_let_through_in_the_minute_counts(small_shop: Shop) -> None:
    """Also what one did that has ended since; but not what was in another minute or channel."""
    harness = small_shop.harness
    shop = small_shop
    harness.clock.advance(MINUTE_MS - harness.now_ms % MINUTE_MS)
    calls: list[tuple[Channel, int]] = [("self", -1), ("self", 0), ("api", 0), ("api", 0)]
    rows = [
        harness.row(shop.profile_id, shop.key_id, channel=channel, time_ms=harness.now_ms + at_ms)
        for channel, at_ms in [*calls, ("self", 1)]
    ]
    harness.record(rows)
    assert [shop.api.post("/user", shop.key).status_code for _ in range(3)] == [200, 429, 429]
    assert shop.api.post("/user", shop.other_key).status_code == 200


def test_others_are_looked_at_after_a_tenth_of_a_second_or_a_twentieth_of_the_limit(
    others: Others,
) -> None:
    async def story() -> None:
        limit = OwnLimit(400, others.read, others.flush)
        for number in range(50):
            await limit.take(1, MINUTE_MS + 10 * number)
        assert others.reads == 5
        for _ in range(350):
            await limit.take(1, MINUTE_MS + 500)
        assert others.reads == 5 + 1 + 17
        # Others see its own as often.
        assert others.flushes == 17
        for _ in range(9):
            with pytest.raises(FareboxError):
                await limit.take(1, MINUTE_MS + 30_000)

    asyncio.run(story())
    assert others.reads == 5 + 1 + 17


def test_while_the_store_is_away_a_process_counts_its_own(others: Others) -> None:
    others.is_away = True

    async def story() -> None:
        limit = OwnLimit(2, others.read, others.flush)
        await limit.take(1, MINUTE_MS)
        await limit.take(1, MINUTE_MS + 1_000)
        with pytest.raises(FareboxError):
            await limit.take(1, MINUTE_MS + 2_000)

    asyncio.run(story())

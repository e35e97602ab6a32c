"""The customer endpoints' own limit: 300 a minute for each workspace, then 429 (SPEC 3.1)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from farebox.api.own_limit import OwnLimit
from farebox.core.errors import FareboxError
from tests.api.customer.shop import CUSTOMER_CALLS, Shop
from tests.support.api import Api
from tests.support.harness import Harness

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


def test_each_minute_and_workspace_counts_alone() -> None:
    limit = OwnLimit(1)
    limit.take(1, MINUTE_MS)
    limit.take(2, MINUTE_MS)
    limit.take(1, 2 * MINUTE_MS)
    with pytest.raises(FareboxError) as refused:
        limit.take(1, 3 * MINUTE_MS - 1)
    assert refused.value.retry_after_seconds == 1

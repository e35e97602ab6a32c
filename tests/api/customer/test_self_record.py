"""The customer endpoints' own calls are requests: unmapped, for nothing, and under no quota."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from farebox.api.self_record import SelfRecorder
from tests.support.api import Api
from tests.support.harness import Harness
from tests.support.shop import CUSTOMER_CALLS, Shop

RANGE = {"start_date": "2026-05-01", "end_date": "2026-05-31"}


@pytest.mark.parametrize(("method", "path", "body"), CUSTOMER_CALLS)
def test_a_call_is_logged_with_what_was_asked_and_answered(
    shop: Shop, method: str, path: str, body: dict[str, object] | None
) -> None:
    response = shop.api.request(method, path, key=shop.key, body=body)
    shop.api.flush()
    (log,) = shop.api.data("/api_keys/logs", shop.key)["query_logs"]
    assert log["method"] == method
    assert log["path"] == path
    assert log["status_code"] == 200
    assert log["response_size"] == len(response.content)
    assert log["log_type_id"] == 0
    assert log["log_type_slug"] is None
    assert log["log_type_name"] is None
    assert log["credits"] == 0
    assert log["authentication_type"] == "x-api-key"
    assert log["ip"] == "127.0.0.1"
    assert log["created_at"] == "2026-05-05 12:00:00.000"
    assert shop.harness.select("select distinct channel from requests") == [("self",)]


def test_a_report_counts_the_calls_before_it_and_not_itself(shop: Shop) -> None:
    for calls in range(3):
        report = shop.api.data("/api_keys/usage/daily", shop.key, RANGE)
        assert report["totals"] == {"credits": 0, "requests": calls}
        shop.api.flush()
    breakdown = shop.api.data("/api_keys/usage/breakdown", shop.key, RANGE)
    assert breakdown["by_endpoint"][0]["slug"] is None
    assert breakdown["by_key"][0]["requests"] == 3


def test_no_quota_and_no_credits_are_used(shop: Shop) -> None:
    before = shop.api.request("GET", "/v1/quotas", key=shop.key).json()
    for _ in range(5):
        shop.api.post("/profile", shop.key)
    shop.api.flush()
    usage = shop.api.data("/profile/usage", shop.key)
    assert {usage[f"{c}_{w}_usage"] for c in ("api", "portal") for w in ("daily", "hourly")} == {0}
    assert shop.api.request("GET", "/v1/quotas", key=shop.key).json() == before


def test_calls_answer_without_api_access_and_credits(shop: Shop) -> None:
    shop.harness.call(
        "plans.create", slug="none", name="None", credits_per_month=0, is_api_access_available=False
    )
    profile_id = shop.harness.workspace(plan="none")
    _, key = shop.make_key(profile_id)
    for method, path, body in CUSTOMER_CALLS:
        assert shop.api.request(method, path, key=key, body=body).status_code == 200


def test_a_wrong_call_is_logged_with_its_status_and_a_refused_one_is_not(shop: Shop) -> None:
    shop.api.post("/api_keys/usage/daily", shop.key, {})
    shop.api.post("/user", "no-such-key")
    shop.api.request("PUT", "/user", key=shop.key)
    shop.api.flush()
    assert shop.harness.select("select status_code from requests") == [(400,)]


def test_an_earlier_call_appears_by_itself(shop: Shop) -> None:
    shop.api.post("/user", shop.key)

    shop.api.run(until_recorded(shop))
    assert shop.harness.select("select count(*) from requests") == [(1,)]


async def until_recorded(shop: Shop) -> None:
    """Let the server's own task do it, which takes no call of ours."""
    for _ in range(100):
        await asyncio.sleep(0)
    assert shop.api.context.self_recorder.waiting == 0


def test_what_waits_is_kept_while_the_store_is_gone_and_recorded_when_it_is_back(
    shop: Shop,
) -> None:
    shop.api.post("/user", shop.key)
    shop.api.store.is_gone = True
    shop.api.post("/user", shop.key)
    shop.api.store.is_gone = False
    shop.api.flush()
    assert shop.harness.select("select count(*) from requests") == [(2,)]


def test_what_waits_is_recorded_when_the_server_stops(tmp_path: Path) -> None:
    with Harness(tmp_path) as harness:
        with Api(harness) as api:
            shop = Shop(api)
            api.post("/user", shop.key)
        assert harness.select("select count(*) from requests") == [(1,)]


def test_what_finds_no_room_is_dropped_and_counted(shop: Shop) -> None:
    context = shop.api.context
    crowded = SelfRecorder(context.link, context.metrics, waiting_max=2)
    for _ in range(5):
        crowded.record(shop.row(channel="self"))
    shop.api.run(crowded.flush())
    assert shop.harness.select("select count(*) from requests") == [(2,)]
    assert b"farebox_self_requests_dropped_total 3.0" in context.metrics.render()

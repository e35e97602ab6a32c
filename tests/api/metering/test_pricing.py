"""What a request costs: told by its sender, or the price of its log type at its own time."""

from __future__ import annotations

from typing import Any

import pytest

from farebox.core.instant import MS_PER_DAY, MS_PER_HOUR, to_iso_ms
from tests.api.metering.gateway import CREDIT, Gateway


def charged(gateway: Gateway, **fields: Any) -> int:  # noqa: ANN401 - any JSON
    """Micro-credits of a new row."""
    before = gateway.logged("query_log_id, credits_micro")
    number = len(before)
    told = gateway.report(gateway.row(id=f"row-{number}", **fields))
    assert told["accepted"] == 1
    (new,) = set(gateway.logged("query_log_id, credits_micro")) - set(before)
    return int(new[1])


def slug_of(gateway: Gateway, **fields: Any) -> str | None:  # noqa: ANN401 - any JSON
    """The log type of a new row, whose own is left out, by the customer's log."""
    number = len(gateway.logged("1"))
    row = gateway.row(id=f"row-{number}", absent="log_type", **fields)
    assert gateway.report(row)["accepted"] == 1
    gateway.api.context.self_recorder._waiting_max = 0
    logs = gateway.api.data("/api_keys/logs", gateway.key)["query_logs"]
    assert len(logs) == number + 1
    log_type_id = gateway.logged("log_type_id")[-1][0]
    (slug,) = {log["log_type_slug"] for log in logs if log["log_type_id"] == log_type_id}
    assert slug is None or isinstance(slug, str)
    return slug


def test_a_request_costs_the_price_of_its_log_type(gateway: Gateway) -> None:
    assert charged(gateway) == 3 * CREDIT
    assert charged(gateway, status_code=399) == 3 * CREDIT


@pytest.mark.parametrize("log_type", [None, "__unknown__"])
def test_an_unmapped_request_costs_nothing(gateway: Gateway, log_type: str | None) -> None:
    assert charged(gateway, log_type=log_type) == 0
    # Even when its path is that of a log type: its sender knows better.
    gateway.harness.log_type("company_search", credits=7, path="/companies")
    assert charged(gateway, log_type=log_type, method="POST", path="/companies") == 0
    assert {row for (row,) in gateway.logged("log_type_id")} == {0}


def test_a_request_without_log_type_and_path_is_unmapped(gateway: Gateway) -> None:
    assert charged(gateway, absent="log_type") == 0


def test_the_log_type_is_found_by_method_and_path(gateway: Gateway) -> None:
    for made, by_method, template in (
        ("one", "GET", "/people/{id}"),
        ("any", None, "/people/{id}"),
        ("me", "GET", "/people/me"),
        ("below", None, "/people/{id}/*"),
    ):
        gateway.harness.log_type(made, credits=1, path=template, method=by_method)
    cases: tuple[tuple[str | None, str, str | None], ...] = (
        ("GET", "/people/7", "one"),
        ("get", "/people/7?x=1#y", "one"),
        (None, "/people/7", "one"),
        ("POST", "/people/7", "any"),
        ("GET", "/people/me", "me"),
        ("GET", "/people/me/", "me"),
        ("POST", "/people/me", "any"),
        ("GET", "/people/7/friends/8", "below"),
        ("GET", "/people", None),
        ("GET", "/other", None),
    )
    for method, path, slug in cases:
        told = {"path": path} if method is None else {"method": method, "path": path}
        gateway.harness.advance(milliseconds=1)
        assert slug_of(gateway, **told) == slug, (method, path)


@pytest.mark.parametrize("status_code", [400, 404, 429, 500, 599])
def test_a_failed_request_is_free_unless_its_cost_is_told(
    gateway: Gateway, status_code: int
) -> None:
    assert charged(gateway, status_code=status_code) == 0
    assert charged(gateway, status_code=status_code, credits=2) == 2 * CREDIT


@pytest.mark.parametrize(
    ("credits", "micro"),
    [
        (b"0", 0),
        (b"0.000001", 1),
        (b"1.234567", 1_234_567),
        (b'"1.234567"', 1_234_567),
        (b"0.1", 100_000),
        (b"1e-6", 1),
        (b"1.2345670", 1_234_567),
        (b"1e9", 10**15),
        (b"999999999.999999", 10**15 - 1),
    ],
)
def test_told_credits_are_exact(gateway: Gateway, credits: bytes, micro: int) -> None:
    gateway.harness.call("log_types.change", slug="people_search", credits=5)
    row = b'{"requests": [{"id": "1", "key_id": "%s", "log_type": "people_search", "credits": %s}]}'
    content = row % (gateway.key_id.encode(), credits)
    response = gateway.api.request(
        "POST",
        "/v1/requests",
        token=gateway.token,
        content=content,
        headers={"Content-Type": "application/json"},
    )
    assert response.json()["accepted"] == 1
    assert gateway.logged("credits_micro") == [(micro,)]


@pytest.mark.parametrize(
    "credits",
    ["0.0000001", "1.2345678", "1e-7", "1000000000.000001", "NaN", "Infinity", "1e400", ""],
)
def test_credits_that_can_not_be_are_refused(gateway: Gateway, credits: str) -> None:
    code, message = gateway.refusal(gateway.row(credits=credits))
    assert code in {40004, 42201}
    assert "a number of credits from 0 to 1000000000 with at most 6 decimal places" in message


def test_a_request_costs_what_was_valid_at_its_time(gateway: Gateway) -> None:
    """To the millisecond, whatever is valid when it is reported."""
    harness = gateway.harness
    first = harness.now_ms + MS_PER_HOUR
    second = first + MS_PER_HOUR
    for credits, from_ms in ((4, first), (5, second)):
        stamp = gateway.stamp(from_ms - harness.now_ms)
        harness.call("log_types.change", slug="people_search", credits=credits, valid_from=stamp)
    assert charged(gateway) == 3 * CREDIT
    harness.advance(hours=3)
    for at_ms, credits in (
        (first - 1, 3),
        (first, 4),
        (second - 1, 4),
        (second, 5),
        (harness.now_ms, 5),
        (first - 30 * MS_PER_DAY, 3),
    ):
        told = charged(gateway, time=gateway.stamp(at_ms - harness.now_ms))
        assert told == credits * CREDIT, at_ms


def test_the_price_of_the_plan_at_its_time_goes_first(gateway: Gateway) -> None:
    harness = gateway.harness
    harness.call(
        "plans.create",
        slug="large",
        name="Large",
        credits_per_month=5000,
        prices={"people_search": 2},
    )
    harness.advance(hours=1)
    changed_ms = harness.now_ms
    harness.call("workspaces.change", profile_id=gateway.profile_id, plan="large")
    harness.advance(hours=1)
    assert charged(gateway) == 2 * CREDIT
    for offset_ms, credits in ((0, 2), (-1, 3)):
        stamp = gateway.stamp(changed_ms - harness.now_ms + offset_ms)
        assert charged(gateway, time=stamp) == credits * CREDIT
    harness.call("plans.change", slug="large", prices={"people_search": 1})
    gateway.api.run(gateway.api.context.follower.catch_up())
    assert charged(gateway) == CREDIT


def test_another_process_changes_a_price_and_new_requests_cost_it(gateway: Gateway) -> None:
    assert charged(gateway) == 3 * CREDIT
    gateway.harness.call("log_types.change", slug="people_search", credits=9)
    gateway.api.run(gateway.api.context.follower.catch_up())
    assert charged(gateway) == 9 * CREDIT


def test_a_plan_that_waits_prices_from_the_period_s_end_on(gateway: Gateway) -> None:
    """Before the recorder has opened the new period, and before anyone has heard of it."""
    harness, api = gateway.harness, gateway.api
    limits = {"api": {"hour": 9}}
    prices = {"people_search": 5}
    harness.call(
        "plans.create", slug="mini", name="Mini", credits_per_month=1, prices=prices, limits=limits
    )
    harness.call("workspaces.change", profile_id=gateway.profile_id, plan="mini")
    api.run(api.context.follower.catch_up())
    ((end_ms,),) = harness.select("select max(end_ms) from periods where profile_id = 1")
    harness.clock.advance(end_ms - harness.now_ms - 1)
    before, after = to_iso_ms(end_ms - 1), to_iso_ms(end_ms)
    assert [charged(gateway, time=time) for time in (before, after)] == [3 * CREDIT, 5 * CREDIT]
    assert api.data("/profile/usage", gateway.key)["max_api_hourly_query"] is None
    harness.clock.advance(1)
    assert harness.select("select plan_id, next_plan_id from workspaces") == [(1, 2)]
    usage = api.data("/profile/usage", gateway.key)
    assert usage["max_api_hourly_query"] == 9
    assert charged(gateway, time=before) == 3 * CREDIT
    assert charged(gateway) == 5 * CREDIT
    harness.settle()
    api.run(api.context.follower.catch_up())
    assert [charged(gateway, time=time) for time in (before, after)] == [3 * CREDIT, 5 * CREDIT]

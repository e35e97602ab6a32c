"""Plans: what they promise about limits, prices and changes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from farebox.core.errors import (
    ALREADY_EXISTS,
    INVALID_FIELD,
    NOT_FOUND,
    UNKNOWN_LOG_TYPE,
    UNPROCESSABLE,
)
from farebox.core.instant import MS_PER_DAY, to_iso_ms
from farebox.core.plan import WindowLimits
from farebox.service.pages import turn
from farebox.service.plans import list_plans, read_plan
from tests.support.harness import Harness
from tests.support.refusal import refused


def create(harness: Harness, slug: str = "gold", **fields: Any) -> None:  # noqa: ANN401 - any field
    harness.call("plans.create", slug=slug, name="Gold", credits_per_month=100, **fields)


def test_a_plan_is_what_was_sent(harness: Harness) -> None:
    harness.log_type("search", credits=3)
    answer = harness.call(
        "plans.create",
        slug="gold",
        name=" Gold ",
        credits_per_month="2000.000001",
        limits={"api": {"hour": 0, "month": 7}, "portal": {"day": 5}},
        requests_per_minute=300,
        requests_per_second=None,
        is_api_access_available=False,
        prices={"search": "2.5"},
        unmapped="allow",
    )
    assert answer == read_plan(harness.reader, "gold", harness.now_ms)
    assert answer.name == "Gold"
    assert answer.credits_per_month == Decimal("2000.000001")
    assert (answer.limits.api.hour, answer.limits.api.day, answer.limits.api.month) == (0, None, 7)
    assert answer.limits.portal.day == 5
    assert (answer.requests_per_minute, answer.requests_per_second) == (300, None)
    assert not answer.is_api_access_available
    assert answer.is_quota_sharing_available
    assert answer.prices == {"search": Decimal("2.5")}
    assert answer.unmapped == "allow"


def test_every_process_knows_a_plan_at_once(harness: Harness) -> None:
    create(harness, limits={"api": {"day": 9}})
    (plan,) = harness.directory.plans.values()
    assert plan.api == WindowLimits(None, 9, None)
    harness.call("plans.change", slug="gold", limits={"api": {"day": None, "hour": 4}})
    (plan,) = harness.directory.plans.values()
    assert plan.api == WindowLimits(4, None, None)


def test_a_plan_is_in_shadow_mode_only_when_it_is_asked_for(harness: Harness) -> None:
    create(harness)
    assert not read_plan(harness.reader, "gold", harness.now_ms).is_shadow
    create(harness, "silver", is_shadow=True)
    assert read_plan(harness.reader, "silver", harness.now_ms).is_shadow
    shadows = {plan.slug: plan.is_shadow for plan in harness.directory.plans.values()}
    assert shadows == {"gold": False, "silver": True}


def test_shadow_mode_is_known_at_once_and_outlives_other_changes(harness: Harness) -> None:
    create(harness)
    for is_shadow in (True, False):
        assert harness.call("plans.change", slug="gold", is_shadow=is_shadow).is_shadow is is_shadow
        assert harness.call("plans.change", slug="gold", name="New").is_shadow is is_shadow
        (plan,) = harness.directory.plans.values()
        assert plan.is_shadow is is_shadow


def test_what_is_not_sent_stays(harness: Harness) -> None:
    create(harness, limits={"api": {"day": 9}, "portal": {"hour": 1}}, requests_per_minute=3)
    before = read_plan(harness.reader, "gold", harness.now_ms)
    assert harness.call("plans.change", slug="gold") == before
    after = harness.call("plans.change", slug="gold", limits={"api": {"month": 5}})
    assert after.limits.api.day == 9
    assert after.limits.api.month == 5
    assert after.limits.portal == before.limits.portal
    assert after.requests_per_minute == 3


def test_a_price_to_come_begins_at_its_instant_and_not_before(harness: Harness) -> None:
    log_type_id = harness.log_type("search", credits=3)
    create(harness, prices={"search": 2})
    profile_id = harness.workspace(plan="gold")
    begins_ms = harness.now_ms + MS_PER_DAY
    answer = harness.call(
        "plans.change", slug="gold", prices={"search": 5}, valid_from=to_iso_ms(begins_ms)
    )
    assert answer.prices == {"search": 2}
    assert [(p.log_type, p.credits) for p in answer.scheduled_prices] == [("search", 5)]
    workspace = harness.directory.workspaces[profile_id]
    for time_ms, credits in ((begins_ms - 1, 2), (begins_ms, 5), (0, 2)):
        price = harness.directory.price(workspace, log_type_id, time_ms)
        assert price.credits_micro == credits * 1_000_000


def test_a_new_price_does_not_reach_back(harness: Harness) -> None:
    log_type_id = harness.log_type("search", credits=3)
    create(harness)
    profile_id = harness.workspace(plan="gold")
    harness.advance(days=1)
    harness.call("plans.change", slug="gold", prices={"search": 1})
    workspace = harness.directory.workspaces[profile_id]
    price = harness.directory.price
    assert price(workspace, log_type_id, harness.now_ms - 1).credits_micro == 3_000_000
    assert price(workspace, log_type_id, harness.now_ms).credits_micro == 1_000_000
    with refused(UNPROCESSABLE, harness, field="valid_from"):
        harness.call(
            "plans.change",
            slug="gold",
            prices={"search": 2},
            valid_from=to_iso_ms(harness.now_ms - MS_PER_DAY),
        )


def test_new_monthly_credits_count_from_the_next_period(harness: Harness) -> None:
    """Also for a period that has begun and that nobody has opened yet."""
    create(harness)
    harness.workspace(plan="gold", name="Acme")
    harness.workspace(plan="gold", name="Bolt", anchor_day=20)
    harness.clock.advance(30 * MS_PER_DAY)  # 2026-06-04: a new period for each
    harness.call("plans.change", slug="gold", credits_per_month=500)
    given = "select plan_micro / 1000000 from periods where profile_id = ? order by start_ms"
    assert [harness.select(given, n) for n in (1, 2)] == [[(100,), (100,)]] * 2
    harness.advance(days=27)
    assert [harness.select(given, n) for n in (1, 2)] == [[(100,), (100,), (500,)]] * 2


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("slug", {"slug": "Gold"}),
        ("slug", {"slug": "__unknown__"}),
        ("name", {"name": " "}),
        ("name", {"name": "x" * 201}),
        ("name", {"name": "a\nb"}),
        ("credits_per_month", {"credits_per_month": -1}),
        ("credits_per_month", {"credits_per_month": "0.0000001"}),
        ("credits_per_month", {"credits_per_month": "NaN"}),
        ("prices.search", {"prices": {"search": -1}}),
    ],
)
def test_a_field_that_can_not_be_is_named_and_nothing_is_done(
    harness: Harness, field: str, fields: dict[str, Any]
) -> None:
    harness.log_type("search")
    sent: dict[str, Any] = {"slug": "gold", "name": "Gold", "credits_per_month": 1, **fields}
    with refused(UNPROCESSABLE, harness, field=field):
        harness.call("plans.create", **sent)


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("limits.api.hour", {"limits": {"api": {"hour": -1}}}),
        ("limits.portal.month", {"limits": {"portal": {"month": 10**13}}}),
        ("requests_per_minute", {"requests_per_minute": -1}),
        ("requests_per_second", {"requests_per_second": 2**63}),
    ],
)
def test_a_limit_has_bounds(harness: Harness, field: str, fields: dict[str, Any]) -> None:
    with refused(INVALID_FIELD, harness, field=field):
        create(harness, **fields)


def test_a_price_of_no_log_type_is_refused(harness: Harness) -> None:
    with refused(UNKNOWN_LOG_TYPE, harness, field="prices"):
        create(harness, prices={"search": 1})


def test_a_slug_is_taken_once(harness: Harness) -> None:
    create(harness)
    with refused(ALREADY_EXISTS, harness, field="slug"):
        create(harness)


def test_an_unknown_plan_can_not_be_changed(harness: Harness) -> None:
    with refused(NOT_FOUND, harness):
        harness.call("plans.change", slug="gold", name="x")


def test_pages_hold_every_plan_once(harness: Harness) -> None:
    for number in range(7):
        create(harness, slug=f"plan-{number}")
    slugs: list[str] = []
    cursor = None
    while True:
        page = list_plans(harness.reader, turn(cursor, 3), harness.now_ms)
        assert len(page.data) <= 3
        slugs += [plan.slug for plan in page.data]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert slugs == [f"plan-{number}" for number in range(7)]


def test_who_changed_what_and_when_is_kept(harness: Harness) -> None:
    create(harness)
    harness.advance(hours=1)
    harness.call("plans.change", slug="gold", name="New", actor="token:tok_1")
    assert harness.select(
        "select at_ms, actor, action, kind, ref, detail from changes"
        " order by change_id desc limit 1"
    ) == [
        (
            harness.now_ms,
            "token:tok_1",
            "change",
            "plan",
            "gold",
            '{"name":"New","slug":"gold"}',
        )
    ]

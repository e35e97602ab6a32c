"""Workspaces: their owner, their plan through time, their zone."""

from __future__ import annotations

from typing import Any

import pytest

from farebox.core.errors import IN_USE, INVALID_FIELD, NOT_FOUND, UNPROCESSABLE
from farebox.core.instant import MS_PER_HOUR
from farebox.service.pages import turn
from farebox.service.statement import read_statement
from farebox.service.users import list_users
from farebox.service.workspaces import list_workspaces, read_workspace
from tests.support.harness import Harness
from tests.support.refusal import refused


def plans(harness: Harness, **credits: int) -> None:
    for slug, amount in credits.items():
        harness.call("plans.create", slug=slug, name=slug, credits_per_month=amount)


def balance(harness: Harness, profile_id: int) -> object:
    return read_statement(harness.reader, profile_id, None, harness.now_ms).closing_balance


def test_a_workspace_is_made_with_its_owner_and_its_plan_credits(harness: Harness) -> None:
    plans(harness, gold=2000)
    answer = harness.call(
        "workspaces.create",
        name="Acme",
        plan="gold",
        timezone="Asia/Kathmandu",
        licences=2,
        is_quota_sharing_enabled=True,
        description="A customer.",
        anchor_day=31,
        owner_nickname="Ada",
        owner_email="ada@example.com",
    )
    assert answer.profile_id == 1
    assert answer == read_workspace(harness.reader, 1)
    (owner,) = list_users(harness.reader, 1, turn(None, None)).data
    assert (owner.user_id, owner.is_owner) == (answer.owner_user_id, True)
    assert (owner.nickname, owner.email) == ("Ada", "ada@example.com")
    assert balance(harness, 1) == 2000
    assert harness.directory.workspaces[1].timezone == "Asia/Kathmandu"


def test_an_owner_needs_no_name(harness: Harness) -> None:
    profile_id = harness.workspace(name="Acme")
    (owner,) = list_users(harness.reader, profile_id, turn(None, None)).data
    assert owner.nickname == "Acme"
    assert owner.email.endswith(".invalid")


def test_an_upgrade_counts_at_once_and_grants_the_difference(harness: Harness) -> None:
    plans(harness, basic=100, gold=250)
    profile_id = harness.workspace(plan="basic")
    answer = harness.call("workspaces.change", profile_id=profile_id, plan="gold")
    assert (answer.plan, answer.next_plan) == ("gold", None)
    assert balance(harness, profile_id) == 250
    grants = harness.select("select kind, credits_micro, expires_at_ms from grants")
    assert [row[:2] for row in grants] == [("plan", 100_000_000), ("plan", 150_000_000)]
    assert grants[0][2] == grants[1][2]
    harness.advance(days=31)
    assert balance(harness, profile_id) == 250


def test_a_downgrade_waits_for_the_next_period(harness: Harness) -> None:
    plans(harness, basic=100, gold=250)
    profile_id = harness.workspace(plan="gold")
    answer = harness.call("workspaces.change", profile_id=profile_id, plan="basic")
    assert (answer.plan, answer.next_plan) == ("gold", "basic")
    assert balance(harness, profile_id) == 250
    harness.advance(days=31)
    after = read_workspace(harness.reader, profile_id)
    assert (after.plan, after.next_plan) == ("basic", None)
    assert balance(harness, profile_id) == 100
    workspace = harness.directory.workspaces[profile_id]
    assert harness.directory.plans[workspace.plan_id].slug == "basic"


def test_a_downgrade_can_be_taken_back(harness: Harness) -> None:
    plans(harness, basic=100, gold=250)
    profile_id = harness.workspace(plan="gold")
    harness.call("workspaces.change", profile_id=profile_id, plan="basic")
    answer = harness.call("workspaces.change", profile_id=profile_id, plan="gold")
    assert (answer.plan, answer.next_plan) == ("gold", None)
    assert balance(harness, profile_id) == 250


def test_no_round_of_plan_changes_grants_twice(harness: Harness) -> None:
    plans(harness, basic=100, gold=250)
    profile_id = harness.workspace(plan="gold")
    harness.call("plans.change", slug="gold", credits_per_month=50)
    harness.call("workspaces.change", profile_id=profile_id, plan="basic")
    assert balance(harness, profile_id) == 250
    harness.call("plans.change", slug="gold", credits_per_month=300)
    harness.call("workspaces.change", profile_id=profile_id, plan="gold")
    assert balance(harness, profile_id) == 300


def test_a_period_that_is_over_ends_by_its_own_terms(harness: Harness) -> None:
    plans(harness, basic=100, gold=250)
    profile_id = harness.workspace(plan="basic")
    harness.clock.advance(31 * 24 * MS_PER_HOUR)  # nobody has noticed yet
    harness.call("workspaces.change", profile_id=profile_id, plan="gold")
    rows = harness.select("select granted_micro, expired_micro from periods order by start_ms")
    assert rows == [(100_000_000, 100_000_000), (250_000_000, 0)]


def test_a_new_zone_builds_the_days_anew_and_lets_the_period_end_as_planned(
    harness: Harness,
) -> None:
    profile_id = harness.workspace(timezone="UTC")
    key_id = harness.key(profile_id)
    harness.record([harness.row(profile_id, key_id)])
    ends_before = harness.select("select end_ms from periods")
    answer = harness.call("workspaces.change", profile_id=profile_id, timezone="Asia/Tokyo")
    assert answer.timezone == "Asia/Tokyo"
    assert harness.directory.workspaces[profile_id].timezone == "Asia/Tokyo"
    assert harness.directory.workspaces[profile_id].report_timezone == "UTC"
    harness.settle()
    assert harness.directory.workspaces[profile_id].report_timezone == "Asia/Tokyo"
    assert harness.select("select zone_version, requests from days") == [(2, 1)]
    assert harness.select("select end_ms from periods") == ends_before


def test_a_new_zone_of_an_idle_workspace_counts_at_once(harness: Harness) -> None:
    profile_id = harness.workspace(timezone="UTC")
    harness.call("workspaces.change", profile_id=profile_id, timezone="Asia/Tokyo")
    assert harness.directory.workspaces[profile_id].report_timezone == "Asia/Tokyo"
    key_id = harness.key(profile_id)
    harness.record([harness.row(profile_id, key_id)])
    assert harness.select("select zone_version, requests from days") == [(2, 1)]


def test_the_same_zone_again_changes_nothing(harness: Harness) -> None:
    profile_id = harness.workspace(timezone="UTC")
    harness.call("workspaces.change", profile_id=profile_id, timezone="UTC")
    assert harness.select("select count(*) from workspace_zones") == [(1,)]


def test_licences_never_fall_below_the_users(harness: Harness) -> None:
    profile_id = harness.workspace(licences=3)
    harness.call("users.create", profile_id=profile_id, nickname="A", email="a@example.com")
    harness.call("workspaces.change", profile_id=profile_id, licences=2)
    with refused(IN_USE, harness):
        harness.call("workspaces.change", profile_id=profile_id, licences=1)


def test_a_suspended_workspace_is_known_at_once(harness: Harness) -> None:
    profile_id = harness.workspace()
    harness.call("workspaces.change", profile_id=profile_id, status="suspended")
    assert harness.directory.workspaces[profile_id].status == "suspended"


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("name", {"name": ""}),
        ("name", {"name": "x" * 56}),
        ("plan", {"plan": "none"}),
        ("timezone", {"timezone": "Mars/Olympus"}),
        ("description", {"description": "x" * 501}),
        ("owner_email", {"owner_email": "nobody"}),
        ("owner_nickname", {"owner_nickname": "x" * 101}),
    ],
)
def test_a_field_that_can_not_be_is_named_and_nothing_is_done(
    harness: Harness, field: str, fields: dict[str, Any]
) -> None:
    plans(harness, gold=1)
    sent: dict[str, Any] = {"name": "Acme", "plan": "gold", **fields}
    with refused(UNPROCESSABLE, harness, field=field):
        harness.call("workspaces.create", **sent)


@pytest.mark.parametrize(("field", "value"), [("licences", 0), ("anchor_day", 32)])
def test_a_number_has_bounds(harness: Harness, field: str, value: int) -> None:
    sent: dict[str, Any] = {"profile_id": harness.workspace(), field: value}
    with refused(INVALID_FIELD, harness, field=field):
        harness.call("workspaces.change", **sent)


def test_an_unknown_workspace_can_not_be_changed(harness: Harness) -> None:
    with refused(NOT_FOUND, harness):
        harness.call("workspaces.change", profile_id=7, name="x")


def test_pages_hold_every_workspace_once(harness: Harness) -> None:
    for _ in range(5):
        harness.workspace()
    first = list_workspaces(harness.reader, turn(None, 2))
    second = list_workspaces(harness.reader, turn(first.next_cursor, 100))
    assert [w.profile_id for w in first.data + second.data] == [1, 2, 3, 4, 5]

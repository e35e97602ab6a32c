"""Auto top-up: enabled only with both amounts, and known to every process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from farebox.core.errors import UNPROCESSABLE, FareboxError
from farebox.engine.directory import Directory
from farebox.service.workspaces import read_workspace
from tests.support.harness import Harness
from tests.support.homes import Home
from tests.support.refusal import refused
from tests.support.worlds import World

TERMS: dict[str, Any] = {
    "is_auto_top_up_credits_enabled": True,
    "auto_top_up_credit": "500.5",
    "auto_top_up_balance_fall_below": 100,
    "is_auto_top_up_granted": True,
}
AMOUNTS = ("auto_top_up_credit", "auto_top_up_balance_fall_below")
ENABLED = "is_auto_top_up_credits_enabled"


@pytest.fixture
def harness(home: Home) -> Iterator[World]:
    with World(home) as made:
        yield made


def terms(harness: Harness, profile_id: int) -> tuple[object, ...]:
    """What the admin API tells; and what a process knows is the same."""
    data = read_workspace(harness.reader, profile_id)
    told = tuple(getattr(data, name) for name in TERMS)
    fresh = Directory()
    fresh.load(harness.reader)
    known = harness.directory.workspaces[profile_id]
    assert fresh.workspaces[profile_id] == known
    micro = tuple(None if amount is None else amount * 1_000_000 for amount in told[1:3])
    assert told[0] == known.is_auto_top_up_credits_enabled
    assert micro == (known.auto_top_up_credit_micro, known.auto_top_up_balance_fall_below_micro)
    assert told[3] == known.is_auto_top_up_granted
    return told


def test_nothing_is_topped_up_unless_it_is_asked_for(harness: World) -> None:
    assert terms(harness, harness.workspace()) == (False, None, None, False)


def test_the_terms_are_what_was_sent(harness: World) -> None:
    profile_id = harness.workspace(**TERMS)
    assert terms(harness, profile_id) == (True, Decimal("500.5"), 100, True)


def test_terms_are_changed_one_by_one_and_survive_a_restart(harness: World) -> None:
    profile_id = harness.workspace()
    want: list[object] = [False, None, None, False]
    for index, name, sent, told in (
        (1, "auto_top_up_credit", 5, 5),
        (2, "auto_top_up_balance_fall_below", "0.5", Decimal("0.5")),
        (0, ENABLED, True, True),
        (3, "is_auto_top_up_granted", True, True),
        (1, "auto_top_up_credit", "6.25", Decimal("6.25")),
        (0, ENABLED, False, False),
        (2, "auto_top_up_balance_fall_below", None, None),
        (3, "is_auto_top_up_granted", False, False),
    ):
        change: dict[str, Any] = {"profile_id": profile_id, name: sent}
        harness.call("workspaces.change", **change)
        want[index] = told
        assert terms(harness, profile_id) == tuple(want)
    harness.reopen()
    harness.call("workspaces.change", profile_id=profile_id, name="Renamed")
    assert terms(harness, profile_id) == tuple(want)


@pytest.mark.parametrize("amount", AMOUNTS)
def test_enabling_needs_both_amounts(harness: World, amount: str) -> None:
    harness.workspace()
    sent = {**TERMS, amount: None}
    with refused(UNPROCESSABLE, harness, field=amount):
        harness.call("workspaces.create", name="B", plan="basic", **sent)
    profile_id = harness.workspace(**{**sent, ENABLED: False})
    with refused(UNPROCESSABLE, harness, field=amount):
        harness.call(
            "workspaces.change", profile_id=profile_id, is_auto_top_up_credits_enabled=True
        )
    with pytest.raises(FareboxError, match="a number of credits above 0 while credits are topped"):
        harness.call(
            "workspaces.change", profile_id=profile_id, is_auto_top_up_credits_enabled=True
        )


@pytest.mark.parametrize("amount", AMOUNTS)
def test_an_amount_can_not_be_taken_away_while_it_is_needed(harness: World, amount: str) -> None:
    profile_id = harness.workspace(**TERMS)
    change: dict[str, Any] = {"profile_id": profile_id, amount: None}
    with refused(UNPROCESSABLE, harness, field=amount):
        harness.call("workspaces.change", **change)
    harness.call("workspaces.change", **change, is_auto_top_up_credits_enabled=False)
    assert not harness.directory.workspaces[profile_id].is_auto_top_up_credits_enabled


@pytest.mark.parametrize("amount", AMOUNTS)
@pytest.mark.parametrize("value", [0, "-1", "0.0000001", "1000000001"])
@pytest.mark.parametrize("is_enabled", [True, False])
def test_an_amount_is_above_0(harness: World, amount: str, value: object, is_enabled: bool) -> None:
    profile_id = harness.workspace()
    sent: dict[str, Any] = {**TERMS, ENABLED: is_enabled, amount: value}
    with refused(UNPROCESSABLE, harness, field=amount):
        harness.call("workspaces.change", profile_id=profile_id, **sent)
    with refused(UNPROCESSABLE, harness, field=amount):
        harness.call("workspaces.create", name="B", plan="basic", **sent)


def test_what_an_answer_tells_can_be_sent_again(harness: World) -> None:
    profile_id = harness.workspace(**TERMS)
    before = read_workspace(harness.reader, profile_id)
    sent: dict[str, Any] = {name: getattr(before, name) for name in TERMS}
    assert harness.call("workspaces.change", profile_id=profile_id, **sent) == before


def test_who_changed_the_terms_is_kept(harness: World) -> None:
    profile_id = harness.workspace()
    harness.call("workspaces.change", actor="ada", profile_id=profile_id, auto_top_up_credit="2.5")
    ((actor, detail),) = harness.select(
        "select actor, detail from changes order by change_id desc limit 1"
    )
    assert actor == "ada"
    assert json.loads(detail) == {"profile_id": profile_id, "auto_top_up_credit": "2.5"}

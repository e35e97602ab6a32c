"""Grants: what is given can be spent, in its order and until its end."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from farebox.core.errors import IDEMPOTENCY_MISMATCH, NOT_FOUND, UNPROCESSABLE
from farebox.core.instant import MS_PER_HOUR, to_iso_ms
from farebox.service.grants import list_grants
from farebox.service.pages import turn
from tests.support.harness import Harness
from tests.support.refusal import refused

MICRO = 1_000_000


@pytest.fixture
def profile_id(harness: Harness) -> int:
    harness.call("plans.create", slug="free", name="Free", credits_per_month=0)
    return harness.workspace(plan="free")


def left(harness: Harness, profile_id: int) -> dict[int, object]:
    found = list_grants(harness.reader, profile_id, turn(None, None)).data
    return {grant.grant_id: grant.credits_left for grant in found}


def charge(harness: Harness, profile_id: int, credits_micro: int) -> None:
    key_id = harness.key(profile_id)
    harness.record([harness.row(profile_id, key_id, credits_micro=credits_micro)])


def test_a_grant_can_be_spent(harness: Harness, profile_id: int) -> None:
    answer = harness.call(
        "grants.create", profile_id=profile_id, credits="10.5", kind="topup", priority=-3
    )
    assert (answer.grant_id, answer.kind, answer.priority) == (1, "topup", -3)
    assert answer.credits == answer.credits_left == Decimal("10.5")
    charge(harness, profile_id, 4 * MICRO)
    assert left(harness, profile_id) == {1: Decimal("6.5")}


def test_what_expires_first_is_spent_first_then_the_higher_priority_then_the_older(
    harness: Harness, profile_id: int
) -> None:
    soon = to_iso_ms(harness.now_ms + MS_PER_HOUR)
    given: list[dict[str, Any]] = [{}, {"priority": 5}, {"expires_at": soon}, {"priority": 5}]
    for fields in given:
        harness.call("grants.create", profile_id=profile_id, credits=1, kind="topup", **fields)
    order = []
    for _ in range(4):
        before = left(harness, profile_id)
        charge(harness, profile_id, MICRO)
        after = left(harness, profile_id)
        order += [grant_id for grant_id in before if before[grant_id] != after[grant_id]]
    assert order == [3, 2, 4, 1]


def test_an_expired_grant_is_gone(harness: Harness, profile_id: int) -> None:
    harness.call(
        "grants.create",
        profile_id=profile_id,
        credits=3,
        kind="promotion",
        expires_at=to_iso_ms(harness.now_ms + MS_PER_HOUR),
    )
    harness.advance(MS_PER_HOUR - 1)
    assert left(harness, profile_id) == {1: 3}
    harness.advance(1)
    assert left(harness, profile_id) == {1: 0}


def test_a_grant_pays_what_is_owed_first(harness: Harness, profile_id: int) -> None:
    charge(harness, profile_id, 4 * MICRO)
    harness.call("grants.create", profile_id=profile_id, credits=3, kind="topup")
    harness.call("grants.create", profile_id=profile_id, credits=3, kind="topup")
    assert left(harness, profile_id) == {1: 0, 2: 2}


def test_a_repeated_grant_gives_once(harness: Harness, profile_id: int) -> None:
    sent: dict[str, Any] = {"profile_id": profile_id, "credits": 5, "kind": "topup"}
    first = harness.call("grants.create", idempotency_key="k", **sent)
    assert harness.call("grants.create", idempotency_key="k", **sent) == first
    assert left(harness, profile_id) == {1: 5}
    with refused(IDEMPOTENCY_MISMATCH, harness):
        harness.call("grants.create", idempotency_key="k", **{**sent, "credits": 6})


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("credits", {"credits": 0}),
        ("credits", {"credits": -1}),
        ("credits", {"credits": "1e10"}),
        ("expires_at", {"expires_at": "2026-05-05"}),
        ("expires_at", {"expires_at": "2026-05-05T12:00:00Z"}),
    ],
)
def test_a_field_that_can_not_be_is_named_and_nothing_moves(
    harness: Harness, profile_id: int, field: str, fields: dict[str, Any]
) -> None:
    sent: dict[str, Any] = {"profile_id": profile_id, "credits": 1, "kind": "topup", **fields}
    with refused(UNPROCESSABLE, harness, field=field):
        harness.call("grants.create", **sent)


def test_an_unknown_workspace_gets_nothing(harness: Harness) -> None:
    with refused(NOT_FOUND, harness):
        harness.call("grants.create", profile_id=9, credits=1, kind="topup")

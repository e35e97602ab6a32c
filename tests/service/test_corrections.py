"""Corrections: credits move, reports and requests stay."""

from __future__ import annotations

from typing import Any

import pytest

from farebox.core.errors import NOT_FOUND, UNPROCESSABLE
from farebox.core.identity import format_uuid
from farebox.service.corrections import list_corrections
from farebox.service.pages import turn
from farebox.service.statement import read_statement
from tests.support.harness import Harness
from tests.support.refusal import refused

MICRO = 1_000_000


def recorded(harness: Harness, profile_id: int, credits_micro: int = 3 * MICRO) -> str:
    row = harness.row(profile_id, harness.key(profile_id), credits_micro=credits_micro)
    harness.record([row])
    return format_uuid(row.query_log_id)


def correct(harness: Harness, profile_id: int, request_id: str, credits: object) -> None:
    harness.call(
        "corrections.create",
        profile_id=profile_id,
        request_id=request_id,
        credits=credits,
        reason="The search came back empty.",
    )


def balance(harness: Harness, profile_id: int) -> object:
    return read_statement(harness.reader, profile_id, None, harness.now_ms).closing_balance


def test_a_correction_moves_credits_either_way(harness: Harness) -> None:
    profile_id = harness.workspace()
    request_id = recorded(harness, profile_id)
    assert balance(harness, profile_id) == 997
    correct(harness, profile_id, request_id, -3)
    assert balance(harness, profile_id) == 1000
    correct(harness, profile_id, request_id, 5)
    assert balance(harness, profile_id) == 995
    assert harness.select("select credits_micro from requests") == [(3 * MICRO,)]
    assert harness.select("select sum(credits_micro) from days") == [(3 * MICRO,)]
    found = list_corrections(harness.reader, profile_id, turn(None, None)).data
    assert [(c.correction_id, c.request_id, c.credits) for c in found] == [
        (1, request_id, -3),
        (2, request_id, 5),
    ]


def test_a_correction_is_charged_even_below_zero(harness: Harness) -> None:
    harness.call("plans.create", slug="free", name="Free", credits_per_month=0)
    profile_id = harness.workspace(plan="free")
    request_id = recorded(harness, profile_id, 0)
    correct(harness, profile_id, request_id, "0.000001")
    assert harness.select("select debits_micro from accounts where account = 'overdraft'") == [(1,)]


def test_a_request_of_another_workspace_is_not_found(harness: Harness) -> None:
    mine, theirs = harness.workspace(), harness.workspace()
    request_id = recorded(harness, theirs)
    for unknown in (request_id, "019df6f7-5b8c-7a41-9c3e-2f10d4b7a655", "nonsense"):
        with refused(NOT_FOUND, harness):
            correct(harness, mine, unknown, 1)


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("credits", {"credits": 0}),
        ("credits", {"credits": "0.0000001"}),
        ("credits", {"credits": 1_000_000_001}),
        ("reason", {"reason": " "}),
        ("reason", {"reason": "x" * 501}),
    ],
)
def test_a_field_that_can_not_be_is_named_and_nothing_moves(
    harness: Harness, field: str, fields: dict[str, Any]
) -> None:
    profile_id = harness.workspace()
    request_id = recorded(harness, profile_id)
    sent: dict[str, Any] = {
        "profile_id": profile_id,
        "request_id": request_id,
        "credits": 1,
        "reason": "x",
    }
    with refused(UNPROCESSABLE, harness, field=field):
        harness.call("corrections.create", **{**sent, **fields})

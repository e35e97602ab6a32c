"""Statements: what happened in a period, and which period is meant."""

from __future__ import annotations

from decimal import Decimal

import pytest

from farebox.core.errors import INVALID_FIELD, NOT_FOUND
from farebox.core.identity import format_uuid
from farebox.core.instant import MS_PER_DAY, to_iso_ms
from farebox.service.forms.money import StatementData
from farebox.service.statement import read_statement
from tests.support.harness import Harness
from tests.support.refusal import refused

MICRO = 1_000_000


def statement(harness: Harness, profile_id: int, period: str | None = None) -> StatementData:
    return read_statement(harness.reader, profile_id, period, harness.now_ms)


def test_a_statement_tells_everything_that_moved(harness: Harness) -> None:
    harness.call("plans.create", slug="gold", name="Gold", credits_per_month=100)
    search = harness.log_type("search", credits=3)
    profile_id = harness.workspace(plan="gold")
    key_id = harness.key(profile_id)
    rows = [
        harness.row(profile_id, key_id, credits_micro=3 * MICRO, log_type_id=search),
        harness.row(profile_id, key_id, credits_micro=2_500_000, log_type_id=search),
        harness.row(profile_id, key_id, credits_micro=MICRO // 2),
    ]
    harness.record(rows)
    harness.call("grants.create", profile_id=profile_id, credits=50, kind="topup")
    harness.call(
        "corrections.create",
        profile_id=profile_id,
        request_id=format_uuid(rows[0].query_log_id),
        credits=-1,
        reason="Empty.",
    )
    told = statement(harness, profile_id)
    assert (told.opening_balance, told.granted, told.charged) == (0, 150, 6)
    assert (told.expired, told.corrected, told.closing_balance) == (0, -1, 145)
    assert [(line.slug, line.name, line.requests, line.credits) for line in told.charges] == [
        ("search", "search", 2, Decimal("5.5")),
        (None, "Unknown", 1, Decimal("0.5")),
    ]
    assert [(line.kind, line.credits) for line in told.grants] == [("plan", 100), ("topup", 50)]
    assert [(line.credits, line.reason) for line in told.corrections] == [(-1, "Empty.")]
    assert not told.is_closed
    harness.advance(days=31)
    closed = statement(harness, profile_id, "2026-05")
    assert closed.is_closed
    assert [(line.kind, line.credits) for line in closed.expiries] == [("plan", 94)]
    assert closed.closing_balance == 51
    assert statement(harness, profile_id).opening_balance == 51


def test_imports_of_former_periods_stand_apart(harness: Harness) -> None:
    profile_id = harness.workspace()
    key_id = harness.key(profile_id)
    old_ms = harness.now_ms - 60 * MS_PER_DAY
    harness.record(
        [
            harness.row(profile_id, key_id, credits_micro=7 * MICRO, time_ms=old_ms),
            harness.row(profile_id, key_id, credits_micro=2 * MICRO),
        ],
        is_import=True,
    )
    told = statement(harness, profile_id)
    assert (told.charged, told.history_charged, told.closing_balance) == (2, 7, 998)
    assert [line.requests for line in told.history_charges] == [1]
    assert [line.requests for line in told.charges] == [1]


def test_a_period_is_found_by_its_month_or_an_instant(harness: Harness) -> None:
    profile_id = harness.workspace(timezone="Asia/Tokyo")
    harness.advance(days=40)
    first = statement(harness, profile_id, "2026-05")
    assert first.period_start == "2026-04-30T15:00:00.000Z"
    assert first.period_end == "2026-05-31T15:00:00.000Z"
    assert statement(harness, profile_id, "2026-04-30T15:00:00Z") == first
    assert statement(harness, profile_id, "2026-05-31T23:59:59+09:00") == first
    assert statement(harness, profile_id, "2026-06") == statement(harness, profile_id)
    for unknown in ("2026-04", "2026-07", "2026-04-30T14:59:59Z"):
        with refused(NOT_FOUND):
            statement(harness, profile_id, unknown)
    for nonsense in ("2026-13", "may", "2026-05-01", "20260501"):
        with refused(INVALID_FIELD, field="period"):
            statement(harness, profile_id, nonsense)


def test_a_period_keeps_its_month_when_the_zone_changes(harness: Harness) -> None:
    profile_id = harness.workspace(timezone="Asia/Tokyo")
    harness.call("workspaces.change", profile_id=profile_id, timezone="America/Los_Angeles")
    harness.advance(days=70)
    told = statement(harness, profile_id, "2026-06")
    assert told.period_start == "2026-05-31T15:00:00.000Z"
    assert told.period_end == "2026-07-01T07:00:00.000Z"
    assert statement(harness, profile_id, "2026-07").period_start == told.period_end


@pytest.mark.parametrize("anchor_day", [15, 31])
def test_periods_begin_on_the_anchor_day(harness: Harness, anchor_day: int) -> None:
    profile_id = harness.workspace(anchor_day=anchor_day)
    harness.advance(days=60)
    starts = [
        statement(harness, profile_id, month).period_start
        for month in ("2026-04", "2026-05", "2026-06")
    ]
    expected = {15: ["04-15", "05-15", "06-15"], 31: ["04-30", "05-31", "06-30"]}
    assert [start[5:10] for start in starts] == expected[anchor_day]


def test_an_unknown_workspace_has_no_statement(harness: Harness) -> None:
    with refused(NOT_FOUND):
        statement(harness, 7)


def test_periods_are_opened_where_no_recorder_has_run(harness: Harness) -> None:
    profile_id = harness.workspace()
    harness.clock.advance(40 * MS_PER_DAY)
    assert statement(harness, profile_id).period_start.startswith("2026-05")
    harness.call("statement.open", profile_id=profile_id)
    assert statement(harness, profile_id).period_start.startswith("2026-06")
    assert statement(harness, profile_id, to_iso_ms(harness.now_ms)).closing_balance == 1000

"""The forecast of a workspace: its pace is the daily report's, its credits are the recorder's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farebox.core.forecast import Forecast, Pace
from farebox.core.instant import MS_PER_DAY
from farebox.engine.telling import HeldHere
from farebox.service.forecast import read_forecast
from tests.support.harness import Harness
from tests.support.homes import Home

CREDIT = 1_000_000


@pytest.fixture
def harness(home: Home) -> Iterator[Harness]:
    with Harness(home) as harness:
        for credits in (0, 100):
            harness.call(
                "plans.create", slug=f"plan-{credits}", name="Plan", credits_per_month=credits
            )
        yield harness


def forecast_of(harness: Harness, profile_id: int, held_micro: int = 0) -> Forecast:
    workspace = harness.directory.workspaces[profile_id]
    held = HeldHere(held_micro, 0)
    return read_forecast(
        harness.reader, harness.directory, workspace, harness.now_ms, lambda _: held
    )


def use(harness: Harness, profile_id: int, key_id: str, days: int, credits: int) -> None:
    """The same use on each of some days, ending today."""
    for _ in range(days):
        harness.record([harness.row(profile_id, key_id, credits_micro=credits * CREDIT)])
        harness.advance(days=1)


@pytest.mark.parametrize("timezone", ["UTC", "America/New_York", "Pacific/Kiritimati"])
def test_the_pace_is_the_last_seven_whole_days(harness: Harness, timezone: str) -> None:
    profile_id = harness.workspace(plan="plan-0", timezone=timezone)
    key_id = harness.key(profile_id)
    harness.call("grants.create", profile_id=profile_id, credits=500, kind="topup")
    use(harness, profile_id, key_id, 3, 20)
    use(harness, profile_id, key_id, 7, 10)
    # What is used today isn't in the pace, only in the balance.
    harness.record([harness.row(profile_id, key_id, credits_micro=30 * CREDIT)])
    found = forecast_of(harness, profile_id, held_micro=40 * CREDIT)
    assert found.pace == Pace(70 * CREDIT, 7)
    # 500 - 60 - 70 - 30 - 40 = 300, at 10 a day; the period is over before.
    assert found.runs_out_ms == harness.now_ms + 30 * MS_PER_DAY
    assert found.outcome == "lasts"


def test_a_balance_that_ends_in_this_period_runs_out(harness: Harness) -> None:
    profile_id = harness.workspace(plan="plan-100")
    key_id = harness.key(profile_id)
    use(harness, profile_id, key_id, 8, 10)
    found = forecast_of(harness, profile_id)
    assert (found.outcome, found.runs_out_ms) == ("runs_out", harness.now_ms + 2 * MS_PER_DAY)


def test_the_next_periods_plan_credits_are_counted(harness: Harness) -> None:
    profile_id = harness.workspace(plan="plan-100")
    key_id = harness.key(profile_id)
    use(harness, profile_id, key_id, 8, 3)
    found = forecast_of(harness, profile_id)
    # 76 are left for 18.5 days at 3 a day, and 100 in June are enough for its 30.
    assert (found.outcome, found.runs_out_ms) == ("lasts", None)
    use(harness, profile_id, key_id, 8, 4)
    found = forecast_of(harness, profile_id)
    # 44 for 10.5 days at 4; in June 100 last for 25 days.
    assert found.outcome == "lasts"
    assert found.runs_out_ms == found.period_end_ms + 25 * MS_PER_DAY


@pytest.mark.parametrize("days", [0, 1, 2, 3])
def test_three_days_of_use_are_needed(harness: Harness, days: int) -> None:
    profile_id = harness.workspace(plan="plan-100")
    use(harness, profile_id, harness.key(profile_id), days, 10)
    found = forecast_of(harness, profile_id)
    if days < 3:
        assert (found.outcome, found.pace) == ("unknown", None)
    else:
        assert (found.outcome, found.pace) == ("runs_out", Pace(30 * CREDIT, 3))


def test_a_workspace_that_costs_nothing_has_no_forecast(harness: Harness) -> None:
    profile_id = harness.workspace(plan="plan-100")
    use(harness, profile_id, harness.key(profile_id), 9, 0)
    assert forecast_of(harness, profile_id).outcome == "unknown"

"""Ranges that have a name, on a calendar with a changed clock and an odd anchor day."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.core.calendar import (
    EPOCH_ORDINAL,
    Window,
    day_of_quarter,
    format_day,
    natural_window,
    quarter_of,
    zone_of,
)
from farebox.core.preset import PRESETS, Preset, preset_days
from tests.core.strategies import moments, quick


def days(preset: Preset, today: str, anchor_day: int = 1) -> tuple[str, str]:
    """The first and the last day of a preset, in Berlin."""
    zone = zone_of("Europe/Berlin")
    noon_ms = (date.fromisoformat(today).toordinal() - EPOCH_ORDINAL) * 86_400_000 + 43_200_000
    first, end = preset_days(
        preset, day_of_quarter(quarter_of(noon_ms), zone), zone, *periods(noon_ms, anchor_day)
    )
    return format_day(first), format_day(end - 1)


def periods(at_ms: int, anchor_day: int) -> tuple[Window, Window]:
    zone = zone_of("Europe/Berlin")
    this = natural_window("month", at_ms, zone, anchor_day=anchor_day)
    return this, natural_window("month", this.start_ms - 1, zone, anchor_day=anchor_day)


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("today", ("2026-10-31", "2026-10-31")),
        ("7d", ("2026-10-25", "2026-10-31")),
        ("30d", ("2026-10-02", "2026-10-31")),
        ("90d", ("2026-08-03", "2026-10-31")),
        ("this_month", ("2026-10-01", "2026-10-31")),
        ("previous_month", ("2026-09-01", "2026-09-30")),
        ("this_period", ("2026-10-15", "2026-10-31")),
        ("previous_period", ("2026-09-15", "2026-10-14")),
    ],
)
def test_a_preset_is_the_days_that_it_names(preset: Preset, expected: tuple[str, str]) -> None:
    assert days(preset, "2026-10-31", anchor_day=15) == expected


def test_months_go_over_the_turn_of_the_year() -> None:
    assert days("previous_month", "2026-01-31") == ("2025-12-01", "2025-12-31")
    assert days("previous_period", "2026-01-31") == ("2025-12-01", "2025-12-31")


@given(moments(), st.integers(1, 31), st.sampled_from(PRESETS))
@quick
def test_no_preset_is_empty_or_ends_after_today(
    moment: tuple[str, int], anchor_day: int, preset: Preset
) -> None:
    zone = zone_of(moment[0])
    today = day_of_quarter(quarter_of(moment[1]), zone)
    this = natural_window("month", moment[1], zone, anchor_day=anchor_day)
    before = natural_window("month", this.start_ms - 1, zone, anchor_day=anchor_day)
    first, end = preset_days(preset, today, zone, this, before)
    assert first < end <= today + 1
    if preset == "this_period":
        after = preset_days("previous_period", today, zone, this, before)[1]
        assert first == after

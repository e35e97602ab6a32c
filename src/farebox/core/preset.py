"""Presets: ranges of days that have a name, on the workspace's own calendar.

"This" range ends today, since nothing has happened later; a previous one is whole. A period is the
billing period: its days are those that it begins, and ends, in.
"""

from __future__ import annotations

from datetime import date
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from farebox.core.calendar import EPOCH_ORDINAL, Window, day_of_quarter, quarter_of

Preset = Literal[
    "today",
    "7d",
    "30d",
    "90d",
    "this_period",
    "previous_period",
    "this_month",
    "previous_month",
]
PRESETS: tuple[Preset, ...] = get_args(Preset)
_LENGTHS: dict[Preset, int] = {"today": 1, "7d": 7, "30d": 30, "90d": 90}


def preset_days(
    preset: Preset, today: int, zone: ZoneInfo, period: Window, previous_period: Window
) -> tuple[int, int]:
    """The half-open range of days of a preset."""
    if preset in _LENGTHS:
        return today + 1 - _LENGTHS[preset], today + 1
    if preset == "this_period":
        return min(_days(period, zone)[0], today), today + 1
    if preset == "previous_period":
        return _days(previous_period, zone)
    month = _month_start(today)
    return (month, today + 1) if preset == "this_month" else (_month_start(month - 1), month)


def _days(window: Window, zone: ZoneInfo) -> tuple[int, int]:
    """The days that a window begins and ends in."""
    return (
        day_of_quarter(quarter_of(window.start_ms), zone),
        day_of_quarter(quarter_of(window.end_ms - 1), zone) + 1,
    )


def _month_start(day: int) -> int:
    return date.fromordinal(day + EPOCH_ORDINAL).replace(day=1).toordinal() - EPOCH_ORDINAL

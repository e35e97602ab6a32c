"""The forecast of a workspace: when its credits run out, by the rule of `core/forecast`."""

from __future__ import annotations

from farebox.core.calendar import day_of_quarter, quarter_of
from farebox.core.forecast import (
    PACE_DAYS,
    PACE_DAYS_MIN,
    Forecast,
    Pace,
    Refill,
    forecast,
)
from farebox.core.workspace import Workspace
from farebox.engine.directory import Directory
from farebox.engine.report_zone import report_zone
from farebox.engine.telling import HeldOf
from farebox.service.credits_now import credits_now
from farebox.service.date_range import DateRange
from farebox.service.usage_daily import usage_daily
from farebox.service.usage_filters import UsageFilters
from farebox.store.contract import Reader


def read_forecast(
    reader: Reader, directory: Directory, workspace: Workspace, now_ms: int, held: HeldOf
) -> Forecast:
    """The forecast at an instant; `held` is the gatekeeper's.

    Raises:
        DirectoryBehindError: the directory lacks a log type.
    """
    profile_id = workspace.profile_id
    now = credits_now(reader, profile_id, now_ms, held)
    # The next period as the recorder would open it, with what its plan gives.
    following = credits_now(reader, profile_id, now.period.end_ms).period
    refill = Refill(following.start_ms, following.end_ms, following.granted_micro)
    pace = read_pace(reader, directory, profile_id, now_ms)
    return forecast(now.purse, now.held_micro, now_ms, refill, pace)


def read_pace(reader: Reader, directory: Directory, profile_id: int, now_ms: int) -> Pace | None:
    """What the last whole days cost, as the daily report has them; None of too few days."""
    zone = report_zone(reader, profile_id).zone
    today = day_of_quarter(quarter_of(now_ms), zone)
    first_day = reader.value("usage_first_day", profile_id=profile_id)
    if first_day is None:
        return None
    assert isinstance(first_day, int)
    days = min(PACE_DAYS, today - first_day)
    if days < PACE_DAYS_MIN:
        return None
    report = usage_daily(
        reader, directory, profile_id, DateRange(today - days, today), UsageFilters()
    )
    return Pace(report.totals.credits_micro, days)

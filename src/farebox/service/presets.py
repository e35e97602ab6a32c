"""Ranges of days by their names, for a workspace now: its billing periods are known here."""

from __future__ import annotations

from farebox.core.calendar import Window, day_of_quarter, natural_window, quarter_of
from farebox.core.preset import Preset, preset_days
from farebox.core.workspace import Workspace
from farebox.engine.report_zone import report_zone
from farebox.service.credits_now import credits_now
from farebox.service.date_range import DateRange
from farebox.store.contract import Reader


def read_preset(reader: Reader, workspace: Workspace, preset: Preset, now_ms: int) -> DateRange:
    """The days of a preset, in the zone that reports read."""
    zone = report_zone(reader, workspace.profile_id).zone
    today = day_of_quarter(quarter_of(now_ms), zone)
    open_period = credits_now(reader, workspace.profile_id, now_ms).period
    period = Window(open_period.start_ms, open_period.end_ms)
    before = reader.one(
        "period_before", Window, profile_id=workspace.profile_id, start_ms=period.start_ms
    )
    if before is None:
        # There was none yet; requests of that time may have been imported all the same.
        before = natural_window("month", period.start_ms - 1, zone, anchor_day=workspace.anchor_day)
    return DateRange(*preset_days(preset, today, zone, period, before))

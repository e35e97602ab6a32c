"""The zone whose days reports read: the workspace's own, but for the moments after a change."""

from __future__ import annotations

from typing import NamedTuple
from zoneinfo import ZoneInfo

from farebox.core.calendar import zone_of
from farebox.store.contract import Reader


class ReportZone(NamedTuple):
    """A version of a workspace's days, and its zone."""

    zone_version: int
    zone: ZoneInfo


class _Row(NamedTuple):
    zone_version: int
    timezone: str


def report_zone(reader: Reader, profile_id: int) -> ReportZone:
    """The version that is complete in this snapshot; the directory may be a moment behind it."""
    row = reader.one("report_zone", _Row, profile_id=profile_id)
    assert row is not None  # every workspace has a zone
    return ReportZone(row.zone_version, zone_of(row.timezone))

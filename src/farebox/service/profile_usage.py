"""Profile usage: requests in the open windows of a workspace or of one user (seed: profile_usage).

A window is answered from day rollups for its whole days and from quarter hours at its ragged edges.
The scope is that of the limits: the whole workspace when quota sharing is enabled and available,
else the keys of the caller's user.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from farebox.core.calendar import (
    QUARTER_MS,
    Window,
    WindowKind,
    day_of_quarter,
    day_quarters,
    window_at,
)
from farebox.core.profile_usage import ProfileUsage, WindowUsage, profile_usage
from farebox.core.workspace import Workspace
from farebox.engine.directory import Directory
from farebox.service.reading import json_list, snapshot
from farebox.service.report_zone import ReportZone, report_zone
from farebox.store.contract import Reader, SqlValue

_COUNTED: tuple[WindowKind, ...] = ("hour", "day", "month")


class _Counts(NamedTuple):
    """Requests of each channel."""

    api: int
    portal: int

    def plus(self, other: _Counts) -> _Counts:
        return _Counts(self.api + other.api, self.portal + other.portal)


class _Scope(NamedTuple):
    """Whose requests are counted; `key_ids` is a JSON list, None for the whole workspace."""

    profile_id: int
    key_ids: str | None


def read_profile_usage(
    reader: Reader, directory: Directory, workspace: Workspace, user_id: str, now_ms: int
) -> ProfileUsage:
    """The usage of the windows that `now_ms` lies in."""
    plan = directory.plans[workspace.plan_id_at(now_ms)]
    is_shared = workspace.is_quota_sharing_enabled and plan.is_quota_sharing_available
    key_ids = None if is_shared else _key_ids(directory, workspace.profile_id, user_id)
    scope = _Scope(workspace.profile_id, json_list(key_ids))
    with snapshot(reader):
        zone = report_zone(reader, workspace.profile_id)
        hour, day, month = (
            _count(reader, scope, zone, window_at(kind, now_ms, workspace.zones))
            for kind in _COUNTED
        )
    return profile_usage(
        plan,
        workspace.licences,
        api=WindowUsage(hour.api, day.api, month.api),
        portal=WindowUsage(hour.portal, day.portal, month.portal),
        is_quota_sharing_enabled=workspace.is_quota_sharing_enabled,
        refreshed_ms=now_ms,
    )


def _key_ids(directory: Directory, profile_id: int, user_id: str) -> list[str]:
    return [key.key_id for key in directory.keys_of(profile_id) if key.user_id == user_id]


def _count(reader: Reader, scope: _Scope, zone: ReportZone, window: Window) -> _Counts:
    first, end = -(-window.start_ms // QUARTER_MS), -(-window.end_ms // QUARTER_MS)
    first_day = day_of_quarter(first, zone.zone)
    if day_quarters(first_day, first_day + 1, zone.zone)[0] < first:
        first_day += 1
    end_day = day_of_quarter(end, zone.zone)
    if first_day >= end_day:
        return _of_quarters(reader, scope, first, end)
    days_begin, days_end = day_quarters(first_day, end_day, zone.zone)
    counts = _counts(
        reader.value(
            "requests_of_days",
            profile_id=scope.profile_id,
            key_ids=scope.key_ids,
            zone_version=zone.zone_version,
            first_day=first_day,
            end_day=end_day,
        )
    )
    counts = counts.plus(_of_quarters(reader, scope, first, days_begin))
    return counts.plus(_of_quarters(reader, scope, days_end, end))


def _of_quarters(reader: Reader, scope: _Scope, first: int, end: int) -> _Counts:
    if first >= end:
        return _Counts(0, 0)
    return _counts(
        reader.value(
            "requests_of_quarters",
            profile_id=scope.profile_id,
            key_ids=scope.key_ids,
            first_quarter=first,
            end_quarter=end,
        )
    )


def _counts(text: SqlValue) -> _Counts:
    assert isinstance(text, str)
    return msgspec.json.decode(text, type=_Counts)

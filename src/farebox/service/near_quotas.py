"""Near quotas: the workspaces that have used most of a day's or a month's requests, in their zone.

They are counted as the gate and `/profile/usage` count them: of the whole workspace where its users
share one quota, else of the user who has used most, against a user's own limit. One query looks at
all workspaces by their days, and leaves few to be counted; none reads the log.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from farebox.core.alert import AlertChannel
from farebox.core.calendar import (
    QUARTER_MS,
    Window,
    WindowKind,
    day_of_quarter,
    natural_window,
    window_at,
    zone_of,
)
from farebox.core.instant import MS_PER_DAY
from farebox.core.plan import Plan, licensed
from farebox.core.workspace import Workspace
from farebox.engine.directory import Directory
from farebox.engine.known import json_ids
from farebox.engine.report_zone import ReportZone
from farebox.engine.usage import Counts, Wanted, Whose, count_windows
from farebox.service.reading import plan_of, snapshot
from farebox.store.contract import Reader

COUNT_DEFAULT = 10
NEAR_PERCENT = 80
# No longer does a change of zone show in a window: at most in the month after the one it came in.
ODD_DAYS = 70
_KINDS: tuple[WindowKind, ...] = ("day", "month")
_CHANNELS: tuple[AlertChannel, ...] = ("api", "portal")


class NearQuota(NamedTuple):
    """The window of a workspace that is used up most: `used` of `limit` requests.

    `user_id` is whose they are, null for those of all users together.
    """

    profile_id: int
    name: str
    user_id: str | None
    kind: WindowKind
    channel: AlertChannel
    used: int
    limit: int
    window: Window

    @property
    def percent(self) -> int:
        """The share that is used, in whole percent."""
        return 100 * self.used // self.limit


class _Full(NamedTuple):
    profile_id: int


class _Zone(NamedTuple):
    profile_id: int
    zone_version: int
    timezone: str


class _Case(NamedTuple):
    """A window of a workspace, or of one of its users, and what it allows."""

    workspace: Workspace
    is_shared: bool
    user_id: str | None
    kind: WindowKind
    limits: dict[AlertChannel, int]
    wanted: Wanted


def list_near_quotas(
    reader: Reader, directory: Directory, now_ms: int, count: int = COUNT_DEFAULT
) -> list[NearQuota]:
    """So many workspaces at most, each with its fullest window; the fullest first."""
    with snapshot(reader):
        cases = list(_cases(reader, directory, now_ms))
        near = _full(reader, cases)
        shared = [(case, counts) for case, counts in near if case.is_shared]
        users = [one for case, _ in near if not case.is_shared for one in _by_user(directory, case)]
        found = [*shared, *_full(reader, users)]
    fullest: dict[int, NearQuota] = {}
    for case, counts in found:
        for one in _told(case, counts):
            known = fullest.get(one.profile_id)
            if known is None or one.used * known.limit > known.used * one.limit:
                fullest[one.profile_id] = one
    return sorted(fullest.values(), key=lambda one: (-one.used / one.limit, one.profile_id))[:count]


def _cases(reader: Reader, directory: Directory, now_ms: int) -> Iterator[_Case]:
    """The windows that may be full, each of the whole workspace."""
    candidates = _candidates(reader, directory, now_ms)
    zones = {
        row.profile_id: ReportZone(row.zone_version, zone_of(row.timezone))
        for row in reader.rows("report_zones", _Zone, profile_ids=json_ids(candidates))
    }
    for profile_id, zone in zones.items():
        workspace = directory.workspaces[profile_id]
        plan = plan_of(directory, workspace.plan_id_at(now_ms))
        is_shared = workspace.is_quota_sharing_enabled and plan.is_quota_sharing_available
        for kind in _KINDS:
            limits = _limits(plan, kind, workspace.licences if is_shared else 1)
            if limits:
                window = window_at(kind, now_ms, workspace.zones)
                wanted = Wanted(Whose(profile_id), zone, window)
                yield _Case(workspace, is_shared, None, kind, limits, wanted)


def _candidates(reader: Reader, directory: Directory, now_ms: int) -> list[int]:
    """The workspaces that may be close; none that is close is missing."""
    # The directory may grow meanwhile.
    workspaces = list(directory.workspaces.values())
    names = {workspace.zones[-1].timezone for workspace in workspaces}
    zones = [(name, *(_first_day(kind, now_ms, name) for kind in _KINDS)) for name in names]
    listed = msgspec.json.encode(zones).decode()
    full = {
        row.profile_id
        for row in reader.rows("quotas_full", _Full, zones=listed, percent=NEAR_PERCENT)
    }
    # The windows after a change of zone aren't those of the zone.
    changed_after_ms = now_ms - ODD_DAYS * MS_PER_DAY
    return [
        workspace.profile_id
        for workspace in workspaces
        if workspace.profile_id in full
        or (len(workspace.zones) > 1 and workspace.zones[-1].from_ms > changed_after_ms)
    ]


def _first_day(kind: WindowKind, now_ms: int, timezone: str) -> int:
    zone = zone_of(timezone)
    return day_of_quarter(natural_window(kind, now_ms, zone).start_ms // QUARTER_MS, zone)


def _limits(plan: Plan, kind: WindowKind, times: int) -> dict[AlertChannel, int]:
    """By channel; what allows nothing at all can't be used up."""
    told = {
        channel: licensed(getattr(getattr(plan, channel), kind), times) for channel in _CHANNELS
    }
    return {channel: limit for channel, limit in told.items() if limit}


def _by_user(directory: Directory, case: _Case) -> Iterator[_Case]:
    """The same window of each user who has a key."""
    profile_id = case.workspace.profile_id
    for user_id in sorted({key.user_id for key in directory.keys_of(profile_id)}):
        whose = Whose(profile_id, user_id)
        yield case._replace(user_id=user_id, wanted=case.wanted._replace(whose=whose))


def _full(reader: Reader, cases: list[_Case]) -> list[tuple[_Case, Counts]]:
    """Those of which much is used. Of a workspace no user has used more than all together."""
    counts = count_windows(reader, [case.wanted for case in cases])
    pairs = zip(cases, counts, strict=True)
    return [(case, found) for case, found in pairs if any(_told(case, found))]


def _told(case: _Case, counts: Counts) -> Iterator[NearQuota]:
    for channel, limit in case.limits.items():
        used: int = getattr(counts, channel)
        if 100 * used >= NEAR_PERCENT * limit:
            yield NearQuota(
                case.workspace.profile_id,
                case.workspace.name,
                case.user_id,
                case.kind,
                channel,
                used,
                limit,
                case.wanted.window,
            )

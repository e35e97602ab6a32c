"""Profile usage: requests in the open windows of a workspace or of one user (seed: profile_usage).

The scope is that of the limits: the whole workspace when quota sharing is enabled and available,
else the keys of the caller's user.
"""

from __future__ import annotations

from farebox.core.calendar import WindowKind, window_at
from farebox.core.profile_usage import ProfileUsage, WindowUsage, profile_usage
from farebox.core.workspace import Workspace
from farebox.engine.directory import Directory
from farebox.engine.report_zone import report_zone
from farebox.engine.usage import Wanted, Whose, count_windows
from farebox.service.reading import snapshot
from farebox.store.contract import Reader

_COUNTED: tuple[WindowKind, ...] = ("hour", "day", "month")


def read_profile_usage(
    reader: Reader, directory: Directory, workspace: Workspace, user_id: str, now_ms: int
) -> ProfileUsage:
    """The usage of the windows that `now_ms` lies in."""
    plan = directory.plans[workspace.plan_id_at(now_ms)]
    is_shared = workspace.is_quota_sharing_enabled and plan.is_quota_sharing_available
    whose = Whose(workspace.profile_id, None if is_shared else user_id)
    with snapshot(reader):
        zone = report_zone(reader, workspace.profile_id)
        windows = [window_at(kind, now_ms, workspace.zones) for kind in _COUNTED]
        hour, day, month = count_windows(reader, [Wanted(whose, zone, w) for w in windows])
    return profile_usage(
        plan,
        workspace.licences,
        api=WindowUsage(hour.api, day.api, month.api),
        portal=WindowUsage(hour.portal, day.portal, month.portal),
        is_quota_sharing_enabled=workspace.is_quota_sharing_enabled,
        refreshed_ms=now_ms,
    )

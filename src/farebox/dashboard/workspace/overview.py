"""The overview: what is left, what was used, and where it goes to."""

from __future__ import annotations

from typing import NamedTuple

from starlette.responses import Response

from farebox.core.calendar import WindowKind, window_at
from farebox.core.profile_usage import ProfileUsage
from farebox.core.workspace import User
from farebox.dashboard.usage_chart import log_type_name, usage_chart
from farebox.dashboard.visit import Visit
from farebox.service.credits_now import credits_now
from farebox.service.date_range import DateRange
from farebox.service.forecast import read_forecast
from farebox.service.presets import read_preset
from farebox.service.profile_usage import read_profile_usage
from farebox.service.quotas import quotas_of
from farebox.service.refusal_counts import read_refused_calls
from farebox.service.usage_daily import usage_daily
from farebox.service.usage_filters import UsageFilters
from farebox.store.contract import Reader

DAYS_SHOWN = 30
_WINDOWS: tuple[tuple[WindowKind, str], ...] = (
    ("hour", "hourly"),
    ("day", "daily"),
    ("month", "monthly"),
)
_CHANNELS = ("api", "portal")


class Gauge(NamedTuple):
    """A quota window: what of it is used; `limit` is None where there is none."""

    kind: WindowKind
    channel: str
    used: int
    limit: int | None
    ends_ms: int

    @property
    def percent(self) -> int:
        """The share that is used, in whole percent."""
        if self.limit is None:
            return 0
        return 100 if self.limit == 0 else min(100, 100 * self.used // self.limit)


async def show_overview(visit: Visit) -> Response:
    """The page. Where quotas are each user's own, `?user=` chooses whose are shown."""
    workspace, directory, now_ms = visit.workspace, visit.desk.directory, visit.now_ms
    users = directory.users_of(workspace.profile_id)
    user = _chosen(users, visit)
    held = visit.desk.gatekeeper.held
    days = DateRange(visit.today + 1 - DAYS_SHOWN, visit.today + 1)

    def work(reader: Reader) -> Response:
        usage = read_profile_usage(reader, directory, workspace, user.user_id, now_ms)
        report = usage_daily(
            reader, directory, workspace.profile_id, days, UsageFilters(), fill_gaps=True
        )
        period = read_preset(reader, workspace, "this_period", now_ms)
        now = credits_now(reader, workspace.profile_id, now_ms, held)
        return visit.page(
            "workspace/overview.html",
            quotas=quotas_of(directory, workspace, now, now_ms),
            held_micro=now.held_micro,
            refusals=read_refused_calls(reader, workspace.profile_id, period).refusals,
            forecast=read_forecast(reader, directory, workspace, now_ms, held),
            usage=usage,
            gauges=_gauges(visit, usage),
            user=user,
            users=users,
            report=report,
            days=days,
            chart_data=usage_chart(visit, report, "credits").data(visit),
            name_of=log_type_name,
        )

    return await visit.read(work)


def _chosen(users: list[User], visit: Visit) -> User:
    wanted = visit.query("user")
    return next((user for user in users if user.user_id == wanted), visit.user)


def _gauges(visit: Visit, usage: ProfileUsage) -> list[Gauge]:
    """The windows that have a limit or any use, the shortest first."""
    is_shared = usage.is_quota_sharing_enabled and usage.is_quota_sharing_available
    total = "total_" if is_shared else ""
    found = []
    for channel in _CHANNELS:
        for kind, name in _WINDOWS:
            used = getattr(usage, f"{channel}_{name}_usage")
            limit = getattr(usage, f"{total}max_{channel}_{name}_query")
            window = window_at(kind, visit.now_ms, visit.workspace.zones)
            found.append(Gauge(kind, channel, used, limit, window.end_ms))
    return [gauge for gauge in found if gauge.limit is not None or gauge.used]

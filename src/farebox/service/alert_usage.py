"""Alert usage: how much of a limit was used in each window that may have news.

Credits are those of `/v1/quotas`, requests those of `/profile/usage`: of the whole workspace where
its users share one quota, else of the user who has used most, against a user's own limit. A window
that has ended is counted as well: what was recorded at its end may be read only after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from farebox.core.alert import AlertChannel
from farebox.core.calendar import Window, WindowKind, window_at
from farebox.core.credits import MICRO_PER_CREDIT
from farebox.core.plan import Plan, WindowLimits, licensed
from farebox.core.quotas import PeriodSums, quotas
from farebox.core.workspace import Workspace
from farebox.engine.directory import Directory
from farebox.engine.report_zone import report_zone
from farebox.engine.usage import Counts, Wanted, Whose, count_windows
from farebox.service.credits_now import credits_now
from farebox.service.reading import plan_of, snapshot
from farebox.store.contract import Reader


class WindowUse(NamedTuple):
    """What was used in a window, in requests or micro-credits; `user_id` where it is one user's."""

    window: Window
    used: int
    allowed: int | None
    user_id: str | None


class _Count(NamedTuple):
    counts: Counts
    user_id: str | None


class AlertUsage:
    """The use of one workspace at one instant; what several alerts ask for is read once."""

    def __init__(
        self, reader: Reader, directory: Directory, workspace: Workspace, now_ms: int
    ) -> None:
        self._reader = reader
        self._directory = directory
        self._workspace = workspace
        self._now_ms = now_ms
        self._counted: dict[tuple[Window, bool], list[_Count]] = {}

    def credits(self, since_ms: int) -> Iterator[WindowUse]:
        """The open period, and those that have ended since."""
        profile_id = self._workspace.profile_id
        ended = self._reader.rows(
            "periods_ended",
            PeriodSums,
            profile_id=profile_id,
            since_ms=since_ms,
            now_ms=self._now_ms,
        )
        now = credits_now(self._reader, profile_id, self._now_ms)
        for period in [*(p for p in ended if p.end_ms <= now.period.start_ms), now.period]:
            told = quotas("", "", None, period, 0)
            yield WindowUse(
                Window(period.start_ms, period.end_ms),
                told.credits_used_micro,
                told.credits_max * MICRO_PER_CREDIT,
                None,
            )

    def requests(
        self, kind: WindowKind, channel: AlertChannel, since_ms: int
    ) -> Iterator[WindowUse]:
        """The open window, and those that have ended since.

        Raises:
            DirectoryBehindError: the directory lacks the plan.
        """
        workspace = self._workspace
        window = window_at(kind, since_ms, workspace.zones)
        while True:
            last_ms = min(self._now_ms, window.end_ms - 1)
            plan = plan_of(self._directory, workspace.plan_id_at(last_ms))
            is_shared = workspace.is_quota_sharing_enabled and plan.is_quota_sharing_available
            # As the gate has it: each user has the plan's limits, all together the licences' sum.
            times = workspace.licences if is_shared else 1
            allowed = licensed(_limit(plan, kind, channel), times)
            if allowed is not None:
                counts = self._count(window, is_shared=is_shared)
                most = max(counts, key=lambda count: getattr(count.counts, channel))
                used = getattr(most.counts, channel)
                yield WindowUse(window, used, allowed, most.user_id)
            if window.end_ms > self._now_ms:
                return
            window = window_at(kind, window.end_ms, workspace.zones)

    def _count(self, window: Window, *, is_shared: bool) -> list[_Count]:
        """Of the workspace, or of each of its users who has a key."""
        known = self._counted.get((window, is_shared))
        if known is not None:
            return known
        profile_id = self._workspace.profile_id
        users: list[str | None] = [None] if is_shared else [*self._users_with_keys()]
        with snapshot(self._reader):
            zone = report_zone(self._reader, profile_id)
            wanted = [Wanted(Whose(profile_id, user_id), zone, window) for user_id in users]
            counts = count_windows(self._reader, wanted)
        counted = [_Count(one, user_id) for one, user_id in zip(counts, users, strict=True)]
        self._counted[window, is_shared] = counted or [_Count(Counts(0, 0, 0), None)]
        return self._counted[window, is_shared]

    def _users_with_keys(self) -> list[str]:
        keys = self._directory.keys_of(self._workspace.profile_id)
        return sorted({key.user_id for key in keys})


def _limit(plan: Plan, kind: WindowKind, channel: AlertChannel) -> int | None:
    limits: WindowLimits = plan.api if channel == "api" else plan.portal
    limit: int | None = getattr(limits, kind)
    return limit

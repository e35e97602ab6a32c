"""The scene that every run begins with: plans, log types, two workspaces and their keys.

Amounts are small, so that every limit is soon reached. The run begins ten minutes before a month
ends in UTC.
"""

from __future__ import annotations

import itertools
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from farebox.core.admission import WINDOW_NAMES
from farebox.core.request import Channel
from tests.support.harness import Harness

# 2026-05-31 23:50:00 UTC.
START_MS = 1_780_271_400_000
MICRO = 1_000_000
ZONES = ("UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati", "Europe/Berlin")
SHM = Path("/dev/shm")  # noqa: S108 - a folder of one's own is made in it


class PlanSpec(NamedTuple):
    """A plan; `often` is by second and minute, the others by hour, day and month."""

    slug: str
    credits: int
    often: tuple[int | None, int | None]
    api: tuple[int | None, int | None, int | None]
    portal: tuple[int | None, int | None, int | None]
    is_sharing: bool = True
    is_api: bool = True

    def limits(self, channel: Channel) -> dict[str, int | None]:
        """The limits of one licence, by the name of the window."""
        seldom = self.api if channel == "api" else self.portal
        return dict(zip(WINDOW_NAMES, (*self.often, *seldom), strict=True))


class LogTypeSpec(NamedTuple):
    """A log type: its price, and what is held for it."""

    slug: str
    credits: int
    hold: int


PLANS = (
    PlanSpec("tight", 40, (None, 5), (6, 8, 10), (3, 5, 7)),
    PlanSpec("open", 60, (None, None), (None, None, None), (None, None, None)),
    PlanSpec("small", 25, (3, None), (5, None, 9), (None, 6, None)),
    PlanSpec("none", 0, (None, 4), (None, 6, None), (2, None, None), is_sharing=False),
    PlanSpec("large", 200, (12, 30), (40, 60, 90), (20, 40, 60)),
    PlanSpec("portal", 60, (4, None), (6, 7, 8), (9, 12, 15), is_api=False),
)
LOG_TYPES = (
    LogTypeSpec("free", 0, 0),
    LogTypeSpec("cheap", 1, 1),
    LogTypeSpec("dear", 3, 5),
    LogTypeSpec("big", 10, 12),
)
PLAN = {plan.slug: plan for plan in PLANS}


class WorkspaceSpec(NamedTuple):
    """A workspace as it is made."""

    plan: str
    timezone: str
    licences: int
    is_sharing: bool
    anchor_day: int


class KeySpec(NamedTuple):
    """A key as it is made, with the ids that it got."""

    profile_id: int
    user_id: str
    channel: Channel
    cap: int | None
    key_id: str


WORKSPACES = (
    WorkspaceSpec("none", "UTC", 2, False, 1),
    WorkspaceSpec("none", "Asia/Kathmandu", 2, True, 15),
)


class Scene(NamedTuple):
    """The bytes of the database, and the keys in it."""

    database: bytes
    keys: tuple[KeySpec, ...]


@lru_cache(maxsize=1)
def scene() -> Scene:
    """The scene, made once."""
    with TemporaryDirectory() as folder, Harness(Path(folder), now_ms=START_MS) as harness:
        for plan in PLANS:
            names = ("hour", "day", "month")
            harness.call(
                "plans.create",
                slug=plan.slug,
                name=plan.slug,
                credits_per_month=plan.credits,
                requests_per_second=plan.often[0],
                requests_per_minute=plan.often[1],
                limits={
                    "api": dict(zip(names, plan.api, strict=True)),
                    "portal": dict(zip(names, plan.portal, strict=True)),
                },
                is_quota_sharing_available=plan.is_sharing,
                is_api_access_available=plan.is_api,
            )
        for log_type in LOG_TYPES:
            harness.log_type(log_type.slug, credits=log_type.credits, hold_credits=log_type.hold)
        keys = tuple(itertools.chain(*(_workspace(harness, spec) for spec in WORKSPACES)))
        # The last to leave writes the log back into the file, if it may write.
        harness.reader.close()
        harness.recorder.close()
        return Scene(harness.path.read_bytes(), keys)


def _workspace(harness: Harness, spec: WorkspaceSpec) -> list[KeySpec]:
    profile_id = harness.workspace(
        plan=spec.plan,
        timezone=spec.timezone,
        licences=spec.licences,
        is_quota_sharing_enabled=spec.is_sharing,
        anchor_day=spec.anchor_day,
    )
    second = harness.call(
        "users.create", profile_id=profile_id, nickname="second", email="second@example.com"
    ).user_id
    keys: list[KeySpec] = []
    drafts: list[tuple[str | None, Channel, int | None]] = [
        (None, "api", None),
        (None, "api", 15),
        (second, "api", None),
        (second, "portal", 20),
    ]
    for user_id, channel, cap in drafts:
        made = harness.call(
            "keys.create",
            profile_id=profile_id,
            user_id=user_id,
            channel=channel,
            credits_cap=cap,
        )
        keys.append(KeySpec(profile_id, made.user_id, channel, cap, made.key_id))
    return keys

"""Workspaces close to a quota of a day or a month: as their own usage tells, and none forgotten."""

from __future__ import annotations

import random
from typing import cast

import pytest

from farebox.core.alert import AlertChannel
from farebox.core.calendar import WindowKind, window_at
from farebox.core.instant import MS_PER_DAY, MS_PER_HOUR, parse_rfc3339
from farebox.service.near_quotas import NEAR_PERCENT, NearQuota, list_near_quotas
from farebox.service.profile_usage import read_profile_usage
from tests.support.harness import Harness
from tests.support.homes import Home

ZONES = ("UTC", "Pacific/Kiritimati", "America/St_Johns", "Asia/Kathmandu")
NAMES: dict[WindowKind, str] = {"day": "daily", "month": "monthly"}
CHANNELS: tuple[AlertChannel, ...] = ("api", "portal")
ALL = 1_000


def near(harness: Harness, count: int = ALL) -> list[NearQuota]:
    return list_near_quotas(harness.reader, harness.directory, harness.now_ms, count)


def told(harness: Harness, profile_id: int) -> list[NearQuota]:
    """What `/profile/usage` tells each user of a workspace, as far as it is close to a quota."""
    workspace = harness.directory.workspaces[profile_id]
    found = []
    for user in harness.directory.users_of(profile_id):
        usage = read_profile_usage(
            harness.reader, harness.directory, workspace, user.user_id, harness.now_ms
        )
        is_shared = usage.is_quota_sharing_enabled and usage.is_quota_sharing_available
        for channel in CHANNELS:
            for kind, name in NAMES.items():
                used = getattr(usage, f"{channel}_{name}_usage")
                total = "total_" if is_shared else ""
                limit = getattr(usage, f"{total}max_{channel}_{name}_query")
                if limit and 100 * used >= NEAR_PERCENT * limit:
                    window = window_at(kind, harness.now_ms, workspace.zones)
                    user_id = None if is_shared else user.user_id
                    found.append(
                        NearQuota(
                            profile_id,
                            workspace.name,
                            user_id,
                            kind,
                            channel,
                            used,
                            limit,
                            window,
                        )
                    )
    return found


def plan(harness: Harness, slug: str, *, day: int | None, month: int | None) -> str:
    limits = {"api": {"day": day, "month": month}, "portal": {"day": 0, "month": 5}}
    harness.call(
        "plans.create",
        slug=slug,
        name=slug,
        credits_per_month=1000,
        limits=limits,
        is_quota_sharing_available=True,
    )
    return slug


def user(harness: Harness, profile_id: int, name: str) -> str:
    email = f"{name}@example.com"
    made = harness.call("users.create", profile_id=profile_id, nickname=name, email=email)
    return cast("str", made.user_id)


def use(harness: Harness, profile_id: int, key_id: str, count: int, *, ago_ms: int = 0) -> None:
    at_ms = harness.now_ms - ago_ms
    harness.record([harness.row(profile_id, key_id, time_ms=at_ms) for _ in range(count)])


def test_from_80_percent_on_a_workspace_is_close_to_its_quota(harness: Harness) -> None:
    plan(harness, "gold", day=10, month=100)
    for count in (7, 8, 12):
        profile_id = harness.workspace(plan="gold", name=str(count))
        use(harness, profile_id, harness.key(profile_id), count)
    found = near(harness)
    assert [(one.name, one.kind, one.channel, one.percent) for one in found] == [
        ("12", "day", "api", 120),
        ("8", "day", "api", 80),
    ]
    assert near(harness, count=1) == found[:1]


def test_a_quota_that_is_not_there_or_allows_nothing_is_none_to_be_close_to(
    harness: Harness,
) -> None:
    free = harness.workspace(plan=plan(harness, "free", day=None, month=None))
    closed = harness.workspace(plan=plan(harness, "closed", day=0, month=0))
    for profile_id in (free, closed):
        use(harness, profile_id, harness.key(profile_id), 20)
    assert near(harness) == []


def test_a_window_that_has_ended_counts_no_more(harness: Harness) -> None:
    profile_id = harness.workspace(plan=plan(harness, "gold", day=10, month=1_000))
    use(harness, profile_id, harness.key(profile_id), 10)
    (one,) = near(harness)
    assert one.window.end_ms - harness.now_ms <= MS_PER_DAY
    harness.advance(one.window.end_ms - harness.now_ms - 1)
    assert near(harness) == [one]
    harness.advance(1)
    assert near(harness) == []


def test_users_who_share_no_quota_are_looked_at_one_by_one(harness: Harness) -> None:
    profile_id = harness.workspace(plan=plan(harness, "gold", day=10, month=None), licences=4)
    user_ids = {}
    for name, count in (("a", 6), ("b", 9), ("c", 8)):
        user_ids[name] = user(harness, profile_id, name)
        use(harness, profile_id, harness.key(profile_id, user_id=user_ids[name]), count)
    (one,) = near(harness)
    assert (one.user_id, one.used, one.limit) == (user_ids["b"], 9, 10)


def test_users_none_of_whom_is_close_make_no_workspace_that_is(harness: Harness) -> None:
    profile_id = harness.workspace(plan=plan(harness, "gold", day=10, month=None), licences=3)
    for name in ("a", "b"):
        user_id = user(harness, profile_id, name)
        use(harness, profile_id, harness.key(profile_id, user_id=user_id), 7)
    assert near(harness) == []


@pytest.mark.parametrize("now", ["2026-03-31T23:30:00Z", "2026-03-01T09:59:00Z"])
def test_the_numbers_are_those_that_each_workspace_is_told(home: Home, now: str) -> None:
    chance = random.Random(now)
    with Harness(home, now_ms=parse_rfc3339(now) - 40 * MS_PER_DAY) as harness:
        plan(harness, "gold", day=6, month=25)
        made = [
            harness.workspace(
                plan="gold",
                timezone=zone,
                licences=licences,
                is_quota_sharing_enabled=licences > 1,
            )
            for zone in ZONES
            for licences in (1, 1, 2)
        ]
        harness.advance(38 * MS_PER_DAY)
        for profile_id in made[::3]:
            zone = chance.choice(ZONES)
            harness.call("workspaces.change", profile_id=profile_id, timezone=zone)
        harness.advance(2 * MS_PER_DAY)
        harness.settle()
        for profile_id in made:
            key_id = harness.key(profile_id)
            for _ in range(chance.randrange(40)):
                hours = chance.choice((2, 30, 700))
                use(harness, profile_id, key_id, 1, ago_ms=chance.randrange(hours * MS_PER_HOUR))
        found = {one.profile_id: one for one in near(harness)}
        every = {profile_id: told(harness, profile_id) for profile_id in made}
    assert found.keys() == {profile_id for profile_id, close in every.items() if close}
    assert 0 < len(found) < len(made)
    for profile_id, one in found.items():
        assert one in every[profile_id]
        assert all(one.used * other.limit >= other.used * one.limit for other in every[profile_id])

"""Profile usage: the seed's 23 fields, limits for one licence and for all."""

from __future__ import annotations

from farebox.core.plan import Plan, WindowLimits
from farebox.core.profile_usage import ProfileUsage, WindowUsage, profile_usage


def plan(api: WindowLimits, portal: WindowLimits) -> Plan:
    return Plan(1, "free", "Free", 0, api, portal, None, None, True, False, "allow", False, {})


def usage(limits: Plan) -> ProfileUsage:
    return profile_usage(
        limits,
        5,
        api=WindowUsage(1, 2, 3),
        portal=WindowUsage(4, 5, 6),
        is_quota_sharing_enabled=False,
        refreshed_ms=77,
    )


def test_each_window_of_each_channel_has_its_own_numbers() -> None:
    found = usage(plan(WindowLimits(10, 20, 30), WindowLimits(40, 50, 60)))
    assert found == (
        *(3, 2, 1, 77),
        *(6, 5, 4, 77),
        *(30, 20, 10),
        *(60, 50, 40),
        *(150, 100, 50),
        *(300, 250, 200),
        *(True, False, False),
    )
    assert len(found) == 23


def test_no_limit_is_null_and_none_allowed_is_zero() -> None:
    found = usage(plan(WindowLimits(None, None, None), WindowLimits(0, 0, 0)))
    limits = {name: value for name, value in found._asdict().items() if "max_" in name}
    assert len(limits) == 12
    assert {name: value for name, value in limits.items() if "_api_" in name and value} == {}
    assert all(value is None for name, value in limits.items() if "_api_" in name)
    assert all(value == 0 for name, value in limits.items() if "_portal_" in name)

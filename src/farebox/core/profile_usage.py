"""Profile usage: requests in the open windows of each channel, and their limits.

The 23 fields of the seed profile_usage, in its order and under its names. `max_*` is the plan's
limit for one licence and `total_max_*` that for all; None is no limit, 0 allows nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from farebox.core.plan import Plan, licensed


class WindowUsage(NamedTuple):
    """Requests of one channel in its open hour, day and month, in the scope of the limits."""

    hour: int
    day: int
    month: int


class ProfileUsage(NamedTuple):
    """The fields of the seed; `*_last_refreshed_ms` is how far the numbers are complete."""

    api_monthly_usage: int
    api_daily_usage: int
    api_hourly_usage: int
    api_last_refreshed_ms: int
    portal_monthly_usage: int
    portal_daily_usage: int
    portal_hourly_usage: int
    portal_last_refreshed_ms: int
    max_api_monthly_query: int | None
    max_api_daily_query: int | None
    max_api_hourly_query: int | None
    max_portal_monthly_query: int | None
    max_portal_daily_query: int | None
    max_portal_hourly_query: int | None
    total_max_api_monthly_query: int | None
    total_max_api_daily_query: int | None
    total_max_api_hourly_query: int | None
    total_max_portal_monthly_query: int | None
    total_max_portal_daily_query: int | None
    total_max_portal_hourly_query: int | None
    is_api_access_available: bool
    is_quota_sharing_enabled: bool
    is_quota_sharing_available: bool


def profile_usage(
    plan: Plan,
    licences: int,
    *,
    api: WindowUsage,
    portal: WindowUsage,
    is_quota_sharing_enabled: bool,
    refreshed_ms: int,
) -> ProfileUsage:
    """The usage of a workspace, or of one of its users where quotas aren't shared."""
    return ProfileUsage(
        api_monthly_usage=api.month,
        api_daily_usage=api.day,
        api_hourly_usage=api.hour,
        api_last_refreshed_ms=refreshed_ms,
        portal_monthly_usage=portal.month,
        portal_daily_usage=portal.day,
        portal_hourly_usage=portal.hour,
        portal_last_refreshed_ms=refreshed_ms,
        max_api_monthly_query=plan.api.month,
        max_api_daily_query=plan.api.day,
        max_api_hourly_query=plan.api.hour,
        max_portal_monthly_query=plan.portal.month,
        max_portal_daily_query=plan.portal.day,
        max_portal_hourly_query=plan.portal.hour,
        total_max_api_monthly_query=licensed(plan.api.month, licences),
        total_max_api_daily_query=licensed(plan.api.day, licences),
        total_max_api_hourly_query=licensed(plan.api.hour, licences),
        total_max_portal_monthly_query=licensed(plan.portal.month, licences),
        total_max_portal_daily_query=licensed(plan.portal.day, licences),
        total_max_portal_hourly_query=licensed(plan.portal.hour, licences),
        is_api_access_available=plan.is_api_access_available,
        is_quota_sharing_enabled=is_quota_sharing_enabled,
        is_quota_sharing_available=plan.is_quota_sharing_available,
    )

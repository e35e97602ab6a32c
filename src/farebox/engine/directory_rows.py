"""Reads the directory's entries from the store, and puts rows together to core's nouns."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from farebox.core.calendar import ZoneSince
from farebox.core.log_type import LogType, Price
from farebox.core.plan import Plan, Unmapped, WindowLimits
from farebox.core.workspace import ApiKey, Status, Token, User, Workspace
from farebox.engine.key_row import KeyRow, key_of
from farebox.store.contract import Reader


class _LogTypeRow(NamedTuple):
    log_type_id: int
    slug: str
    name: str
    method: str | None
    path: str | None


class _LogTypePriceRow(NamedTuple):
    log_type_id: int
    valid_from_ms: int
    credits_micro: int
    hold_micro: int


class _PlanRow(NamedTuple):
    plan_id: int
    slug: str
    name: str
    credits_per_month_micro: int
    api_hour: int | None
    api_day: int | None
    api_month: int | None
    portal_hour: int | None
    portal_day: int | None
    portal_month: int | None
    requests_per_minute: int | None
    requests_per_second: int | None
    is_api_access_available: int
    is_quota_sharing_available: int
    unmapped: Unmapped
    is_shadow: int


class _PlanPriceRow(NamedTuple):
    plan_id: int
    log_type_id: int
    valid_from_ms: int
    credits_micro: int


class _WorkspaceRow(NamedTuple):
    profile_id: int
    uid: str
    name: str
    description: str
    plan_id: int
    next_plan_id: int | None
    timezone: str
    zone_version: int
    licences: int
    is_quota_sharing_enabled: int
    anchor_day: int
    status: Status
    is_auto_top_up_credits_enabled: int
    auto_top_up_credit_micro: int | None
    auto_top_up_balance_fall_below_micro: int | None
    is_auto_top_up_granted: int
    created_at_ms: int
    session_epoch: str


class _ZoneRow(NamedTuple):
    profile_id: int
    zone_version: int
    from_ms: int
    timezone: str


class _WorkspacePlanRow(NamedTuple):
    profile_id: int
    from_ms: int
    plan_id: int


def read_log_types(reader: Reader) -> dict[int, LogType]:
    """All log types with their prices, by id."""
    prices: dict[int, list[Price]] = defaultdict(list)
    for price in reader.rows("directory_log_type_prices", _LogTypePriceRow):
        prices[price.log_type_id].append(Price(*price[1:]))
    return {
        row.log_type_id: LogType(*row, prices=tuple(prices[row.log_type_id]))
        for row in reader.rows("directory_log_types", _LogTypeRow)
    }


def read_plans(reader: Reader) -> dict[int, Plan]:
    """All plans with their prices, by id. A plan's price holds what it costs."""
    prices: dict[int, dict[int, list[Price]]] = defaultdict(lambda: defaultdict(list))
    for price in reader.rows("directory_plan_prices", _PlanPriceRow):
        prices[price.plan_id][price.log_type_id].append(
            Price(price.valid_from_ms, price.credits_micro, price.credits_micro)
        )
    return {
        row.plan_id: Plan(
            row.plan_id,
            row.slug,
            row.name,
            row.credits_per_month_micro,
            WindowLimits(row.api_hour, row.api_day, row.api_month),
            WindowLimits(row.portal_hour, row.portal_day, row.portal_month),
            row.requests_per_minute,
            row.requests_per_second,
            bool(row.is_api_access_available),
            bool(row.is_quota_sharing_available),
            row.unmapped,
            bool(row.is_shadow),
            {slug: tuple(found) for slug, found in prices[row.plan_id].items()},
        )
        for row in reader.rows("directory_plans", _PlanRow)
    }


def read_workspaces(reader: Reader, profile_id: int | None) -> list[Workspace]:
    """All workspaces, or one, with their zones and plans through time."""
    zones: dict[int, list[_ZoneRow]] = defaultdict(list)
    for zone in reader.rows("directory_workspace_zones", _ZoneRow, profile_id=profile_id):
        zones[zone.profile_id].append(zone)
    plans: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for plan in reader.rows("directory_workspace_plans", _WorkspacePlanRow, profile_id=profile_id):
        plans[plan.profile_id].append((plan.from_ms, plan.plan_id))
    return [
        Workspace(
            *row[:9],
            is_quota_sharing_enabled=bool(row.is_quota_sharing_enabled),
            anchor_day=row.anchor_day,
            status=row.status,
            is_auto_top_up_credits_enabled=bool(row.is_auto_top_up_credits_enabled),
            auto_top_up_credit_micro=row.auto_top_up_credit_micro,
            auto_top_up_balance_fall_below_micro=row.auto_top_up_balance_fall_below_micro,
            is_auto_top_up_granted=bool(row.is_auto_top_up_granted),
            created_at_ms=row.created_at_ms,
            session_epoch=row.session_epoch,
            report_timezone=_timezone_of(zones[row.profile_id], row.zone_version),
            zones=tuple(ZoneSince(z.from_ms, z.timezone) for z in zones[row.profile_id]),
            plans=tuple(plans[row.profile_id]),
        )
        for row in reader.rows("directory_workspaces", _WorkspaceRow, profile_id=profile_id)
    ]


def read_users(reader: Reader, user_id: str | None) -> list[User]:
    """All users, or one."""
    return [
        user._replace(is_owner=bool(user.is_owner))
        for user in reader.rows("directory_users", User, user_id=user_id)
    ]


def read_keys(reader: Reader, key_id: str | None) -> list[ApiKey]:
    """All keys, or one."""
    return [key_of(row) for row in reader.rows("directory_keys", KeyRow, key_id=key_id)]


def read_tokens(reader: Reader) -> list[Token]:
    """All tokens."""
    return reader.rows("directory_tokens", Token)


def _timezone_of(zones: list[_ZoneRow], zone_version: int) -> str:
    return next(z.timezone for z in zones if z.zone_version == zone_version)

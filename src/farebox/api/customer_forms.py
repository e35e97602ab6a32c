"""Customer forms: the reports of the core in the contract's structs.

Micro-credits become JSON numbers, instants become stamps: of the `api_keys/*` family in the
workspace's timezone, of all others in UTC. Nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo

import msgspec

from farebox.contract.keys import KeyData
from farebox.contract.logs import API_KEY_NAME, Pagination, QueryLog
from farebox.contract.profile import KeyUser, ProfileData, ProfileUsage, Subscription
from farebox.contract.quotas import QuotasAnswer
from farebox.contract.refusals import (
    RefusedCallsData,
    RefusedCallsDay,
    RefusedCallsReason,
    RefusedCallsTotals,
)
from farebox.contract.texts import Language, refusal_message
from farebox.contract.usage import (
    BreakdownData,
    DailyData,
    DailyLogType,
    DailyPoint,
    EndpointUsage,
    FiltersMetadata,
    KeyUsage,
    UsageTotals,
)
from farebox.contract.wire import Number
from farebox.core.admission import KIND_OF_DENIAL
from farebox.core.breakdown import Breakdown
from farebox.core.credits import to_number
from farebox.core.daily import Daily, DayPoint
from farebox.core.identity import format_uuid
from farebox.core.instant import to_iso_ms, to_iso_seconds, to_local_stamp
from farebox.core.profile_usage import ProfileUsage as CoreProfileUsage
from farebox.core.quotas import Quotas
from farebox.core.report import Totals, echo_filters
from farebox.core.workspace import User
from farebox.service.forms.refusal import RefusalReason
from farebox.service.keys_list import ListedKey
from farebox.service.logs import LogRow
from farebox.service.profile import Profile
from farebox.service.refusal_counts import RefusedCalls


def filters_metadata(body: msgspec.Struct) -> FiltersMetadata:
    """The echo of what was sent; a default was not."""
    return FiltersMetadata(
        echo_filters({name: getattr(body, name) for name in body.__struct_fields__})
    )


def daily_data(report: Daily) -> DailyData:
    """The daily report."""
    return DailyData(
        _points(report.series),
        [
            DailyLogType(one.slug, one.name, _totals(one.totals), _points(one.series))
            for one in report.by_log_type
        ],
        _totals(report.totals),
    )


def breakdown_data(report: Breakdown, zone: ZoneInfo) -> BreakdownData:
    """The breakdown."""
    return BreakdownData(
        [
            KeyUsage(
                name=key.name,
                requests=key.requests,
                credits=to_number(key.credits_micro),
                last_used=_stamp(key.last_used_ms, zone),
                percent_of_requests=key.percent_of_requests,
                percent_of_credits=key.percent_of_credits,
                key_id=key.key_id,
            )
            for key in report.by_key
        ],
        [
            EndpointUsage(
                slug=endpoint.slug,
                name=endpoint.name,
                requests=endpoint.requests,
                credits=to_number(endpoint.credits_micro),
                cost_per_call=endpoint.cost_per_call,
                percent_of_requests=endpoint.percent_of_requests,
                percent_of_credits=endpoint.percent_of_credits,
            )
            for endpoint in report.by_endpoint
        ],
        _totals(report.totals),
    )


def refusals_data(found: RefusedCalls, language: Language) -> RefusedCallsData:
    """The refused calls."""
    return RefusedCallsData(
        [RefusedCallsDay(day.date, day.refusals) for day in found.days],
        [_reason(one, language) for one in found.reasons],
        RefusedCallsTotals(found.refusals),
    )


def profile_usage(usage: CoreProfileUsage) -> ProfileUsage:
    """The quota windows."""
    values: dict[str, object] = usage._asdict()
    for channel in ("api", "portal"):
        at_ms = values.pop(f"{channel}_last_refreshed_ms")
        assert isinstance(at_ms, int)
        values[f"{channel}_last_refreshed"] = to_iso_ms(at_ms)
    return msgspec.convert(values, ProfileUsage)


def quotas_answer(quotas: Quotas) -> QuotasAnswer:
    """The quotas."""
    return QuotasAnswer(
        name=quotas.name,
        uid=quotas.uid,
        credits_left=to_number(quotas.credits_left_micro),
        credits_max=quotas.credits_max,
        credits_used=to_number(quotas.credits_used_micro),
        plan_name=quotas.plan_name,
        current_month_start=to_iso_seconds(quotas.current_month_start_ms),
        current_month_end=to_iso_seconds(quotas.current_month_last_ms),
    )


def profile_data(profile: Profile) -> ProfileData:
    """The workspace, its credits and its plan."""
    plan, workspace = profile.plan, profile.workspace
    subscription = Subscription(
        name=plan.name,
        slug=plan.slug,
        credit=to_number(plan.credits_per_month_micro),
        max_api_monthly_query=plan.api.month,
        max_api_daily_query=plan.api.day,
        max_api_hourly_query=plan.api.hour,
        max_portal_monthly_query=plan.portal.month,
        max_portal_daily_query=plan.portal.day,
        max_portal_hourly_query=plan.portal.hour,
        is_api_access_available=plan.is_api_access_available,
        last_refill_date=_iso(profile.last_refill_ms),
        next_refill_date=_iso(profile.next_refill_ms),
    )
    prices = {slug: to_number(micro) for slug, micro in profile.prices_micro.items()}
    return ProfileData(
        profile_id=workspace.profile_id,
        credit=to_number(profile.credit_micro),
        topup_credit=to_number(profile.topup_credit_micro),
        name=workspace.name,
        description=workspace.description,
        is_auto_top_up_credits_enabled=workspace.is_auto_top_up_credits_enabled,
        auto_top_up_credit=_credits(workspace.auto_top_up_credit_micro),
        auto_top_up_balance_fall_below=_credits(workspace.auto_top_up_balance_fall_below_micro),
        subscription=subscription.with_prices(prices),
    )


def user_data(user: User) -> KeyUser:
    """The user."""
    return KeyUser(user.user_id, user.nickname, user.email)


def key_data(listed: ListedKey, zone: ZoneInfo, now_ms: int) -> KeyData:
    """One key of the list."""
    key = listed.key
    return KeyData(
        key_id=key.key_id,
        name=key.name,
        masked_authentication=key.masked_authentication,
        user_id=key.user_id,
        created_at=to_local_stamp(key.created_at_ms, zone),
        last_used=_stamp(listed.last_used_ms, zone),
        expires_at=_stamp(key.expires_at_ms, zone),
        status=key.status(now_ms),
        rotated_from=key.rotated_from,
    )


def query_log(row: LogRow, profile_id: int, zone: ZoneInfo) -> QueryLog:
    """One request of the log."""
    return QueryLog(
        query_log_id=format_uuid(bytes.fromhex(row.query_log_id)),
        created_at=to_local_stamp(row.time_ms, zone),
        profile_id=profile_id,
        user_id=row.user_id,
        method=row.method,
        path=row.path,
        status_code=row.status_code,
        duration_ms=row.duration_ms,
        log_type_id=row.log_type_id,
        authentication_type=row.authentication_type,
        masked_authentication=row.masked_authentication,
        response_size=row.response_size,
        ip=row.ip,
        email=row.email,
        nickname=row.nickname,
        user=KeyUser(row.user_id, row.nickname, row.email),
        log_type_slug=row.log_type_slug,
        credits=to_number(row.credits_micro),
        log_type_name=row.log_type_name,
        authentication_type_name=API_KEY_NAME,
    )


def pagination(
    page: int, per_page: int, total_entries: int, pages_max: int, *, is_timeout: bool
) -> Pagination:
    """Where a page stands among those that `total_entries` fill."""
    total_pages = -(-total_entries // per_page)
    return Pagination(
        page=page,
        per_page=per_page,
        total_entries=total_entries,
        total_pages=total_pages,
        total_display_pages=min(total_pages, pages_max),
        is_timeout=is_timeout,
    )


def _points(points: Iterable[DayPoint]) -> list[DailyPoint]:
    return [
        DailyPoint(date, to_number(credits_micro), requests)
        for date, credits_micro, requests in points
    ]


def _totals(totals: Totals) -> UsageTotals:
    return UsageTotals(to_number(totals.credits_micro), totals.requests)


def _reason(one: RefusalReason, language: Language) -> RefusedCallsReason:
    kind = KIND_OF_DENIAL.get(one.denied_by)
    code = None if kind is None else kind.code
    message = refusal_message(language, one.denied_by)
    return RefusedCallsReason(one.denied_by, code, message, one.refusals)


def _credits(micro: int | None) -> Number | None:
    return None if micro is None else to_number(micro)


def _stamp(at_ms: int | None, zone: ZoneInfo) -> str | None:
    return None if at_ms is None else to_local_stamp(at_ms, zone)


def _iso(at_ms: int | None) -> str | None:
    return None if at_ms is None else to_iso_ms(at_ms)

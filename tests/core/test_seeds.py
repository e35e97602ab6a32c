"""The seeds' example numbers come back from sums; each seed's example lies in `golden/`.

The examples of the two usage reports are abridged, so the rows that they leave out are made up
here such that the documented totals hold, and the answers are abridged the same way.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from farebox.core.breakdown import Breakdown, breakdown
from farebox.core.calendar import natural_window, parse_day
from farebox.core.credits import to_number
from farebox.core.daily import DayPoint, DayRow, daily
from farebox.core.instant import parse_rfc3339, to_iso_ms, to_iso_seconds, to_local_stamp
from farebox.core.plan import Plan, WindowLimits
from farebox.core.profile_usage import WindowUsage, profile_usage
from farebox.core.quotas import PeriodSums, quotas
from farebox.core.report import LogTypeName, Totals, echo_filters

Json = dict[str, object]

CREDIT = 1_000_000
UTC = ZoneInfo("UTC")
REDEEM, SEARCH, COMPANY = 1, 2, 3
NAMES = {
    REDEEM: LogTypeName("people_redeem", "Redeem People"),
    SEARCH: LogTypeName("people_search", "People Search"),
    COMPANY: LogTypeName("company_search", "Company Search"),
}


def golden(name: str) -> Json:
    """An example, with its numbers exact."""
    text = (Path(__file__).parent / "golden" / f"{name}.json").read_text()
    loaded = json.loads(text, parse_float=Decimal)
    assert isinstance(loaded, dict)
    return loaded


def totals_json(totals: Totals) -> Json:
    return {"credits": to_number(totals.credits_micro), "requests": totals.requests}


def points_json(points: list[DayPoint], shown: set[str]) -> list[Json]:
    """The days of a series that the example shows."""
    return [
        {"date": p.date, "credits": to_number(p.credits_micro), "requests": p.requests}
        for p in points
        if p.date in shown
    ]


def test_usage_daily() -> None:
    sums = {
        ("2026-05-01", REDEEM): (26140, 2614),
        ("2026-05-01", COMPANY): (212, 213),
        ("2026-05-05", SEARCH): (594, 199),
        ("2026-05-05", COMPANY): (204, 203),
        ("2026-05-11", REDEEM): (185, 15),
        ("2026-05-11", COMPANY): (2, 172),
        # Left out by the example:
        ("2026-05-12", REDEEM): (14510, 1454),
        ("2026-05-12", SEARCH): (39, 13),
        ("2026-05-13", COMPANY): (6, 13),
    }
    rows: list[DayRow] = [
        (parse_day(day), log_type_id, requests, credits * CREDIT)
        for (day, log_type_id), (credits, requests) in sums.items()
    ]
    report = daily(rows, NAMES)
    shown = {"2026-05-01", "2026-05-05", "2026-05-11"}
    answer = {
        "metadata": {
            "filters": echo_filters(
                {"start_date": "2026-05-01", "end_date": "2026-05-14", "keys": []}
            )
        },
        "data": {
            "series": points_json(report.series, shown),
            "by_log_type": [
                {
                    "slug": entry.slug,
                    "name": entry.name,
                    "totals": totals_json(entry.totals),
                    "series": points_json(entry.series, shown),
                }
                for entry in report.by_log_type[:2]
            ],
            "totals": totals_json(report.totals),
        },
    }
    assert answer == golden("usage_daily")


def seeded_breakdown() -> Breakdown:
    return breakdown(
        [
            (
                "key_2",
                "0••••••••••••••••f39",
                175,
                187 * CREDIT,
                parse_rfc3339("2026-05-14T12:04:21.651Z"),
            ),
            (
                "key_1",
                "2••••••••••••••••a37",
                929,
                42766 * CREDIT,
                parse_rfc3339("2026-05-05T11:09:42.508Z"),
            ),
            # Left out by the example:
            (
                "key_3",
                "7••••••••••••••••8df",
                4088,
                60 * CREDIT,
                parse_rfc3339("2026-05-02T08:00:00Z"),
            ),
        ],
        [],
        [
            (COMPANY, 736, 697 * CREDIT),  # left out by the example
            (SEARCH, 368, 1101 * CREDIT),
            (REDEEM, 4088, 41215 * CREDIT),
        ],
        NAMES,
    )


def test_usage_breakdown() -> None:
    report = seeded_breakdown()
    answer = {
        "metadata": {
            "filters": echo_filters({"start_date": "2026-04-01", "end_date": "2026-05-14"})
        },
        "data": {
            "by_key": [
                {
                    "name": share.name,
                    "requests": share.requests,
                    "credits": to_number(share.credits_micro),
                    "last_used": to_local_stamp(share.last_used_ms, UTC)
                    if share.last_used_ms
                    else None,
                    "percent_of_requests": share.percent_of_requests,
                    "percent_of_credits": share.percent_of_credits,
                }
                for share in report.by_key[:2]
            ],
            "by_endpoint": [
                {
                    "slug": share.slug,
                    "name": share.name,
                    "requests": share.requests,
                    "credits": to_number(share.credits_micro),
                    "cost_per_call": share.cost_per_call,
                    "percent_of_requests": share.percent_of_requests,
                    "percent_of_credits": share.percent_of_credits,
                }
                for share in report.by_endpoint[:2]
            ],
            "totals": totals_json(report.totals),
        },
    }
    assert differences(answer, golden("usage_breakdown")) == {
        # The one cell of the example that is rounded, not cut.
        "/data/by_endpoint/0/percent_of_credits": (Decimal("95.81"), Decimal("95.82"))
    }


def test_profile_usage() -> None:
    plan = Plan(
        plan_id=1,
        slug="portal",
        name="Portal",
        credits_per_month_micro=0,
        api=WindowLimits(hour=0, day=0, month=0),
        portal=WindowLimits(hour=1000, day=2000, month=60000),
        requests_per_minute=None,
        requests_per_second=None,
        is_api_access_available=False,
        is_quota_sharing_available=True,
        unmapped="deny",
        is_shadow=False,
        prices={},
    )
    usage = profile_usage(
        plan,
        34,
        api=WindowUsage(hour=0, day=0, month=0),
        portal=WindowUsage(hour=4, day=163, month=848),
        is_quota_sharing_enabled=True,
        refreshed_ms=parse_rfc3339("2024-11-13T10:01:13.051Z"),
    )
    answer = {
        name.removesuffix("_ms"): to_iso_ms(value) if name.endswith("_ms") else value
        for name, value in usage._asdict().items()
    }
    expected = golden("profile_usage")
    assert {"data": answer} == expected
    assert list({"data": answer}["data"]) == list(data_of(expected))


def test_quotas() -> None:
    january = natural_window("month", parse_rfc3339("2024-01-20T12:00:00Z"), UTC)
    period = PeriodSums(
        start_ms=january.start_ms,
        end_ms=january.end_ms,
        opening_micro=0,
        granted_micro=2000 * CREDIT,
        expired_micro=0,
        charged_micro=749_500_000,
        corrected_micro=0,
    )
    found = quotas(
        "Acme Corporation", "123e4567-e89b-12d3-a456-426614174000", "Gold", period, 1_250_500_000
    )
    answer = {
        "name": found.name,
        "uid": found.uid,
        "credits_left": to_number(found.credits_left_micro),
        "credits_max": found.credits_max,
        "credits_used": to_number(found.credits_used_micro),
        "plan_name": found.plan_name,
        "current_month_start": to_iso_seconds(found.current_month_start_ms),
        "current_month_end": to_iso_seconds(found.current_month_last_ms),
    }
    assert answer == golden("quotas")
    assert len(found) == len(answer)


def data_of(example: Json) -> Json:
    data = example["data"]
    assert isinstance(data, dict)
    return data


def differences(one: object, other: object, path: str = "") -> dict[str, tuple[object, object]]:
    """Where two JSON values differ, by path."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        pairs = [(f"{path}/{name}", one[name], other[name]) for name in one]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = [(f"{path}/{n}", a, b) for n, (a, b) in enumerate(zip(one, other, strict=True))]
    else:
        return {} if one == other else {path: (one, other)}
    return {
        place: both for inner, a, b in pairs for place, both in differences(a, b, inner).items()
    }

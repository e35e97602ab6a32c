"""Usage reports: the use of a workspace by day, and by key and endpoint.

Their ranges are dates in the workspace's timezone, both included (seeds: usage_daily,
usage_breakdown).
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from farebox.contract import kinds
from farebox.contract.operation import Operation
from farebox.contract.wire import Items, Number, ProfileId
from farebox.core import errors

DATE_SCHEMA = {"format": "date"}

StartDate = Annotated[
    str,
    Meta(
        description="First day of the range, as `YYYY-MM-DD`, in the workspace's timezone.",
        examples=["2026-05-01"],
        extra_json_schema=DATE_SCHEMA,
    ),
]
EndDate = Annotated[
    str,
    Meta(
        description="Last day of the range, as `YYYY-MM-DD`, in the workspace's timezone.",
        examples=["2026-05-14"],
        extra_json_schema=DATE_SCHEMA,
    ),
]
Keys = Annotated[
    Items[str] | None,
    Meta(
        description=(
            "Optional. Counts these API keys only: masked keys such as `0••••••••••••••••f39`, or "
            "key ids. `/api_keys` lists both."
        ),
        examples=[["0••••••••••••••••f39"]],
    ),
]
LogTypeSlugs = Annotated[
    Items[str] | None,
    Meta(
        description=(
            "Optional. Counts these endpoints only, by the slugs of their log types, such as "
            "`people_search`. `__unknown__` stands for the unmapped requests."
        ),
        examples=[["people_search", "company_search"]],
    ),
]
Filters = Annotated[
    dict[str, Any], Meta(description="The filters of the request, without the empty ones.")
]
Credits = Annotated[Number, Meta(description="Credits consumed.")]
Requests = Annotated[int, Meta(description="Number of requests.")]
LogTypeName = Annotated[
    str, Meta(description="Name of the log type for people; `Unknown` for unmapped requests.")
]


class FiltersMetadata(Struct, frozen=True):
    """What stands beside `data` in the reports and the log."""

    filters: Filters


class DailyRequest(Struct, kw_only=True, frozen=True):
    """The body of the daily report."""

    start_date: StartDate
    end_date: EndDate
    keys: Keys = None
    log_type_slugs: LogTypeSlugs = None
    fill_gaps: Annotated[
        bool | None,
        Meta(description="Optional. When true, days without requests are listed too, with zeros."),
    ] = None
    profile_id: ProfileId = None


class DailyPoint(Struct, frozen=True):
    """One day of a series."""

    date: Annotated[
        str,
        Meta(
            description="The day, as `YYYY-MM-DD`, in the workspace's timezone.",
            extra_json_schema=DATE_SCHEMA,
        ),
    ]
    credits: Credits
    requests: Requests


class UsageTotals(Struct, frozen=True):
    """Sums over the whole range."""

    credits: Credits
    requests: Requests


class DailyLogType(Struct, frozen=True):
    """One log type of the daily report."""

    slug: Annotated[
        str,
        Meta(description="Slug of the log type; `__unknown__` for the unmapped requests."),
    ]
    name: LogTypeName
    totals: Annotated[UsageTotals, Meta(description="Sums over the range for this log type.")]
    series: Annotated[
        list[DailyPoint], Meta(description="Sums by day for this log type, ascending.")
    ]


class DailyData(Struct, frozen=True):
    """The daily report."""

    series: Annotated[
        list[DailyPoint],
        Meta(description="Sums by day over all endpoints, ascending; idle days are left out."),
    ]
    by_log_type: Annotated[
        list[DailyLogType],
        Meta(description="The same by log type, ordered by credits, then requests, descending."),
    ]
    totals: Annotated[UsageTotals, Meta(description="Sums over the whole range.")]


class DailyAnswer(Struct, frozen=True):
    """The answer of the daily report."""

    metadata: FiltersMetadata
    data: DailyData


class BreakdownRequest(Struct, kw_only=True, frozen=True):
    """The body of the breakdown."""

    start_date: StartDate
    end_date: EndDate
    keys: Keys = None
    log_type_slugs: LogTypeSlugs = None
    profile_id: ProfileId = None


class KeyUsage(Struct, frozen=True):
    """The use of one key."""

    name: Annotated[str, Meta(description="The masked API key.")]
    requests: Requests
    credits: Credits
    last_used: Annotated[
        str | None,
        Meta(
            description=(
                "Time of the key's last request in the range, in the workspace's timezone; `null` "
                "when there is none."
            )
        ),
    ]
    percent_of_requests: Annotated[
        Number, Meta(description="Share of all requests, in percent, cut to 3 decimals.")
    ]
    percent_of_credits: Annotated[
        Number, Meta(description="Share of all credits, in percent, cut to 3 decimals.")
    ]
    key_id: Annotated[str, Meta(description="The key's id, which is unique; a mask need not be.")]


class EndpointUsage(Struct, frozen=True):
    """The use of one log type."""

    slug: Annotated[
        str | None, Meta(description="Slug of the log type; `null` for the unmapped requests.")
    ]
    name: LogTypeName
    requests: Requests
    credits: Credits
    cost_per_call: Annotated[
        Number, Meta(description="Credits for each request on average, cut to 2 decimals.")
    ]
    percent_of_requests: Annotated[
        Number, Meta(description="Share of all requests, in percent, cut to 2 decimals.")
    ]
    percent_of_credits: Annotated[
        Number, Meta(description="Share of all credits, in percent, cut to 2 decimals.")
    ]


class BreakdownData(Struct, frozen=True):
    """The breakdown."""

    by_key: Annotated[
        list[KeyUsage],
        Meta(description="Use by API key: the top 100 by credits, then requests."),
    ]
    by_endpoint: Annotated[
        list[EndpointUsage],
        Meta(description="Use by endpoint: the top 100 by credits, then requests."),
    ]
    totals: Annotated[
        UsageTotals, Meta(description="Sums over the whole range, beyond the top 100 too.")
    ]


class BreakdownAnswer(Struct, frozen=True):
    """The answer of the breakdown."""

    metadata: FiltersMetadata
    data: BreakdownData


RANGE_ERRORS = (errors.INVALID_DATE, errors.INVERTED_RANGE, errors.RANGE_TOO_LONG)
_ERRORS = (*kinds.CUSTOMER, *RANGE_ERRORS)
_RANGE = {"start_date": "2026-05-01", "end_date": "2026-05-14"}

DAILY = Operation(
    operation_id="api_keys_get_usage_daily",
    methods=("POST",),
    path="/api_keys/usage/daily",
    tag="API Keys",
    title="Daily API Usage",
    summary="Get API usage by day",
    description=(
        "Requests and credits of the workspace for each day of a date range, in all and by "
        "endpoint: what a usage chart needs."
    ),
    audience="customer",
    security="key",
    request=DailyRequest,
    request_example={**_RANGE, "log_type_slugs": ["people_redeem", "people_search"]},
    response=DailyAnswer,
    response_example={
        "metadata": {"filters": {**_RANGE, "log_type_slugs": ["people_redeem", "people_search"]}},
        "data": {
            "series": [
                {"date": "2026-05-01", "credits": 26140, "requests": 2614},
                {"date": "2026-05-05", "credits": 594, "requests": 199},
                {"date": "2026-05-11", "credits": 185, "requests": 15},
            ],
            "by_log_type": [
                {
                    "slug": "people_redeem",
                    "name": "Redeem People",
                    "totals": {"credits": 26325, "requests": 2629},
                    "series": [
                        {"date": "2026-05-01", "credits": 26140, "requests": 2614},
                        {"date": "2026-05-11", "credits": 185, "requests": 15},
                    ],
                },
                {
                    "slug": "people_search",
                    "name": "People Search",
                    "totals": {"credits": 594, "requests": 199},
                    "series": [{"date": "2026-05-05", "credits": 594, "requests": 199}],
                },
            ],
            "totals": {"credits": 26919, "requests": 2828},
        },
    },
    errors=_ERRORS,
    is_vendor_shaped=True,
)

BREAKDOWN = Operation(
    operation_id="api_keys_get_usage_breakdown",
    methods=("POST",),
    path="/api_keys/usage/breakdown",
    tag="API Keys",
    title="API Usage Breakdown",
    summary="Get API usage by key and endpoint",
    description=(
        "Requests and credits of the workspace over a date range, by API key and by endpoint: "
        "which keys are busiest, and which endpoints cost most."
    ),
    audience="customer",
    security="key",
    request=BreakdownRequest,
    request_example=dict(_RANGE),
    response=BreakdownAnswer,
    response_example={
        "metadata": {"filters": dict(_RANGE)},
        "data": {
            "by_key": [
                {
                    "name": "f••••••••••••••••a7Q",
                    "requests": 929,
                    "credits": 8766,
                    "last_used": "2026-05-05 11:09:42.508",
                    "percent_of_requests": 84.148,
                    "percent_of_credits": 97.911,
                    "key_id": "key_5hZ0c2rWq8Lm",
                },
                {
                    "name": "f••••••••••••••••0Zk",
                    "requests": 175,
                    "credits": 187,
                    "last_used": "2026-05-11 08:30:00.120",
                    "percent_of_requests": 15.851,
                    "percent_of_credits": 2.088,
                    "key_id": "key_9bT4x7YpD1sC",
                },
            ],
            "by_endpoint": [
                {
                    "slug": "people_redeem",
                    "name": "Redeem People",
                    "requests": 736,
                    "credits": 7852,
                    "cost_per_call": 10.66,
                    "percent_of_requests": 66.66,
                    "percent_of_credits": 87.7,
                },
                {
                    "slug": "people_search",
                    "name": "People Search",
                    "requests": 368,
                    "credits": 1101,
                    "cost_per_call": 2.99,
                    "percent_of_requests": 33.33,
                    "percent_of_credits": 12.29,
                },
            ],
            "totals": {"credits": 8953, "requests": 1104},
        },
    },
    errors=_ERRORS,
    is_vendor_shaped=True,
)

OPERATIONS = (DAILY, BREAKDOWN)

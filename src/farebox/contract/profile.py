"""The profile: a workspace's quota windows (seed: profile_usage), its credits and plan, its user.

A limit of null is no limit, and 0 allows nothing.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from farebox.contract import kinds
from farebox.contract.operation import Operation
from farebox.contract.wire import Number, ProfileId

_STAMP = {"format": "date-time"}
LastRefreshed = Annotated[
    str,
    Meta(
        description="Up to when the numbers are complete, ISO 8601 in UTC.",
        extra_json_schema=_STAMP,
    ),
]
ApiMonth = Annotated[
    int | None, Meta(description="Limit for one licence: API requests a month; `null` is none.")
]
ApiDay = Annotated[
    int | None, Meta(description="Limit for one licence: API requests a day; `null` is none.")
]
ApiHour = Annotated[
    int | None, Meta(description="Limit for one licence: API requests an hour; `null` is none.")
]
PortalMonth = Annotated[
    int | None, Meta(description="Limit for one licence: portal requests a month; `null` is none.")
]
PortalDay = Annotated[
    int | None, Meta(description="Limit for one licence: portal requests a day; `null` is none.")
]
PortalHour = Annotated[
    int | None, Meta(description="Limit for one licence: portal requests an hour; `null` is none.")
]
IsApiAccess = Annotated[bool, Meta(description="Whether the plan includes access to the API.")]


class ProfileRequest(Struct, kw_only=True, frozen=True):
    """A body that may be empty."""

    profile_id: ProfileId = None


class ProfileUsage(Struct, frozen=True):
    """The quota windows: 14 counts and limits a channel group, and 3 switches."""

    api_monthly_usage: Annotated[int, Meta(description="API requests in the current month.")]
    api_daily_usage: Annotated[int, Meta(description="API requests in the current day.")]
    api_hourly_usage: Annotated[int, Meta(description="API requests in the current hour.")]
    api_last_refreshed: LastRefreshed
    portal_monthly_usage: Annotated[int, Meta(description="Portal requests in the current month.")]
    portal_daily_usage: Annotated[int, Meta(description="Portal requests in the current day.")]
    portal_hourly_usage: Annotated[int, Meta(description="Portal requests in the current hour.")]
    portal_last_refreshed: LastRefreshed
    max_api_monthly_query: ApiMonth
    max_api_daily_query: ApiDay
    max_api_hourly_query: ApiHour
    max_portal_monthly_query: PortalMonth
    max_portal_daily_query: PortalDay
    max_portal_hourly_query: PortalHour
    total_max_api_monthly_query: Annotated[
        int | None, Meta(description="`max_api_monthly_query` times the licences.")
    ]
    total_max_api_daily_query: Annotated[
        int | None, Meta(description="`max_api_daily_query` times the licences.")
    ]
    total_max_api_hourly_query: Annotated[
        int | None, Meta(description="`max_api_hourly_query` times the licences.")
    ]
    total_max_portal_monthly_query: Annotated[
        int | None, Meta(description="`max_portal_monthly_query` times the licences.")
    ]
    total_max_portal_daily_query: Annotated[
        int | None, Meta(description="`max_portal_daily_query` times the licences.")
    ]
    total_max_portal_hourly_query: Annotated[
        int | None, Meta(description="`max_portal_hourly_query` times the licences.")
    ]
    is_api_access_available: IsApiAccess
    is_quota_sharing_enabled: Annotated[
        bool, Meta(description="Whether the workspace shares its quota among its users.")
    ]
    is_quota_sharing_available: Annotated[
        bool, Meta(description="Whether the plan lets the quota be shared.")
    ]


class ProfileUsageAnswer(Struct, frozen=True):
    """The answer of the profile usage."""

    data: ProfileUsage


class Subscription(Struct, frozen=True):
    """The plan, in the vendor's names. Prices stand beside these as `<slug>_credit`."""

    name: Annotated[str, Meta(description="Name of the current plan.")]
    slug: Annotated[str, Meta(description="Slug of the current plan.")]
    credit: Annotated[Number, Meta(description="Credits that the plan grants each period.")]
    max_api_monthly_query: ApiMonth
    max_api_daily_query: ApiDay
    max_api_hourly_query: ApiHour
    max_portal_monthly_query: PortalMonth
    max_portal_daily_query: PortalDay
    max_portal_hourly_query: PortalHour
    is_api_access_available: IsApiAccess
    last_refill_date: Annotated[
        str | None,
        Meta(
            description="When plan credits were granted last, ISO 8601 in UTC.",
            extra_json_schema=_STAMP,
        ),
    ]
    next_refill_date: Annotated[
        str | None,
        Meta(
            description="When plan credits are granted next, ISO 8601 in UTC.",
            extra_json_schema=_STAMP,
        ),
    ]

    def with_prices(self, prices: dict[str, Number]) -> SubscriptionFields:
        """The wire form: these fields and a price for each slug."""
        fields: SubscriptionFields = {name: getattr(self, name) for name in self.__struct_fields__}
        return fields | {f"{slug}_credit": price for slug, price in prices.items()}


# Prices have a name for each slug, so this is no struct.
SubscriptionFields = dict[str, Any]
_SUBSCRIPTION_SCHEMA = msgspec.json.schema_components([Subscription], ref_template="{name}")[1][
    "Subscription"
]


class ProfileData(Struct, frozen=True):
    """A workspace and its credits."""

    profile_id: Annotated[int, Meta(description="Id of the workspace.")]
    credit: Annotated[Number, Meta(description="Credits that can be spent now, of all kinds.")]
    topup_credit: Annotated[Number, Meta(description="Those of them that were topped up.")]
    name: Annotated[str, Meta(description="Name of the workspace, at most 55 characters.")]
    description: Annotated[str, Meta(description="Description of the workspace.")]
    is_auto_top_up_credits_enabled: Annotated[
        bool, Meta(description="Whether credits are topped up by themselves.")
    ]
    auto_top_up_credit: Annotated[
        Number | None, Meta(description="How many credits such a top-up brings.")
    ]
    auto_top_up_balance_fall_below: Annotated[
        Number | None, Meta(description="The balance below which such a top-up happens.")
    ]
    subscription: Annotated[
        SubscriptionFields,
        Meta(
            description=(
                "The plan. Beside the fields listed, `<slug>_credit` is the price of each log type."
            ),
            extra_json_schema={
                "properties": _SUBSCRIPTION_SCHEMA["properties"],
                "required": _SUBSCRIPTION_SCHEMA["required"],
                "additionalProperties": {"type": "number"},
            },
        ),
    ]


class ProfileAnswer(Struct, frozen=True):
    """The answer of the profile."""

    data: ProfileData


class KeyUser(Struct, frozen=True):
    """The user of the API key."""

    user_id: Annotated[
        str,
        Meta(description="Id of the user, a UUID.", extra_json_schema={"format": "uuid"}),
    ]
    nickname: Annotated[str, Meta(description="Nickname of the user.")]
    email: Annotated[str, Meta(description="E-mail address of the user.")]


class UserAnswer(Struct, frozen=True):
    """The answer of the user."""

    data: KeyUser


USAGE = Operation(
    operation_id="profile_get_usage",
    methods=("POST", "GET"),
    path="/profile/usage",
    tag="Profile",
    title="Profile Usage",
    summary="Get the workspace's quota usage",
    description=(
        "Requests of the workspace in the current hour, day and month, and the limits that they "
        "count against, for the API and the portal."
    ),
    audience="customer",
    security="key",
    request=ProfileRequest,
    request_example={},
    response=ProfileUsageAnswer,
    response_example={
        "data": {
            "api_monthly_usage": 0,
            "api_daily_usage": 0,
            "api_hourly_usage": 0,
            "api_last_refreshed": "2024-11-13T10:01:13.051Z",
            "portal_monthly_usage": 848,
            "portal_daily_usage": 163,
            "portal_hourly_usage": 4,
            "portal_last_refreshed": "2024-11-13T10:01:13.051Z",
            "max_api_monthly_query": 0,
            "max_api_daily_query": 0,
            "max_api_hourly_query": 0,
            "max_portal_monthly_query": 60000,
            "max_portal_daily_query": 2000,
            "max_portal_hourly_query": 1000,
            "total_max_api_monthly_query": 0,
            "total_max_api_daily_query": 0,
            "total_max_api_hourly_query": 0,
            "total_max_portal_monthly_query": 2040000,
            "total_max_portal_daily_query": 68000,
            "total_max_portal_hourly_query": 34000,
            "is_api_access_available": False,
            "is_quota_sharing_enabled": True,
            "is_quota_sharing_available": True,
        }
    },
    errors=kinds.CUSTOMER,
    is_vendor_shaped=True,
)

PROFILE = Operation(
    operation_id="profile_get",
    methods=("POST", "GET"),
    path="/profile",
    tag="Profile",
    title="Profile",
    summary="Get the workspace with its credits and plan",
    description="The workspace of the API key: its name, its credits, its plan and its prices.",
    audience="customer",
    security="key",
    request=ProfileRequest,
    request_example={},
    response=ProfileAnswer,
    response_example={
        "data": {
            "profile_id": 1,
            "credit": 457499,
            "topup_credit": 235237,
            "name": "Acme Corporation",
            "description": "",
            "is_auto_top_up_credits_enabled": False,
            "auto_top_up_credit": None,
            "auto_top_up_balance_fall_below": None,
            "subscription": {
                "name": "Business",
                "slug": "business",
                "credit": 2250,
                "max_api_monthly_query": 8928000,
                "max_api_daily_query": 288000,
                "max_api_hourly_query": 12000,
                "max_portal_monthly_query": 60000,
                "max_portal_daily_query": 2000,
                "max_portal_hourly_query": 1000,
                "is_api_access_available": True,
                "last_refill_date": "2026-05-01T00:00:00.000Z",
                "next_refill_date": "2026-06-01T00:00:00.000Z",
                "people_search_credit": 3,
                "company_search_credit": 1,
            },
        }
    },
    errors=kinds.CUSTOMER,
    is_vendor_shaped=True,
)

USER = Operation(
    operation_id="user_get",
    methods=("POST", "GET"),
    path="/user",
    tag="Profile",
    title="User",
    summary="Get the user of the API key",
    description="The member of the workspace that the API key belongs to.",
    audience="customer",
    security="key",
    request=ProfileRequest,
    request_example={},
    response=UserAnswer,
    response_example={
        "data": {
            "user_id": "0192f3c4-7a5b-4d1e-8f20-3b6c9d2e4a71",
            "nickname": "Ada",
            "email": "ada@example.com",
        }
    },
    errors=kinds.CUSTOMER,
    is_vendor_shaped=True,
)

OPERATIONS = (USAGE, PROFILE, USER)

"""Plans, as they come in and go out."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from farebox.service.forms.common import CreatedAt, CreditsIn, LimitIn, Number, Slug, Stamp

Name = Annotated[
    str,
    Meta(
        description="Its name for people, at most 200 characters.",
        extra_json_schema={"minLength": 1, "maxLength": 200},
    ),
]
Hour = Annotated[LimitIn | None, Meta(description="Requests an hour; `null` is no limit.")]
Day = Annotated[LimitIn | None, Meta(description="Requests a day; `null` is no limit.")]
Month = Annotated[LimitIn | None, Meta(description="Requests a month; `null` is no limit.")]
PerMinute = Annotated[LimitIn | None, Meta(description="Requests a minute; `null` is no limit.")]
PerSecond = Annotated[LimitIn | None, Meta(description="Requests a second; `null` is no limit.")]
IsApiAccess = Annotated[bool, Meta(description="Whether the plan includes access to the API.")]
IsSharing = Annotated[
    bool, Meta(description="Whether the users of a workspace can share one quota.")
]
Unmapped = Annotated[
    Literal["allow", "deny"],
    Meta(description="What becomes of a call whose path is mapped to no log type."),
]
IsShadow = Annotated[
    bool,
    Meta(
        description=(
            "Whether what its limits and credits would refuse is let through and only counted as "
            "a refusal."
        )
    ),
]
CREDITS = "Credits that each period begins with; they expire at its end."
LIMITS = "Limits for one licence, for each channel."
PRICES = "Prices of this plan by the slug of the log type; others cost what the log type costs."


class WindowLimits(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The limits of one channel."""

    hour: Hour | UnsetType = UNSET
    day: Day | UnsetType = UNSET
    month: Month | UnsetType = UNSET


class Limits(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The limits of each channel."""

    api: Annotated[WindowLimits, Meta(description="Limits of the channel `api`.")] = field(
        default_factory=WindowLimits
    )
    portal: Annotated[WindowLimits, Meta(description="Limits of the channel `portal`.")] = field(
        default_factory=WindowLimits
    )


class PlanCreate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A new plan. Its prices hold for all time until they are changed."""

    slug: Slug
    name: Name
    credits_per_month: Annotated[CreditsIn, Meta(description=CREDITS)]
    limits: Annotated[Limits, Meta(description=LIMITS)] = field(default_factory=Limits)
    requests_per_minute: PerMinute = None
    requests_per_second: PerSecond = None
    is_api_access_available: IsApiAccess = True
    is_quota_sharing_available: IsSharing = True
    prices: Annotated[dict[str, CreditsIn], Meta(description=PRICES)] = field(default_factory=dict)
    unmapped: Unmapped = "deny"
    is_shadow: IsShadow = False


class PlanPatch(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What of a plan is to change. New monthly credits count from each workspace's next period."""

    name: Name | UnsetType = UNSET
    credits_per_month: Annotated[CreditsIn, Meta(description=CREDITS)] | UnsetType = UNSET
    limits: Annotated[Limits, Meta(description=LIMITS)] | UnsetType = UNSET
    requests_per_minute: PerMinute | UnsetType = UNSET
    requests_per_second: PerSecond | UnsetType = UNSET
    is_api_access_available: IsApiAccess | UnsetType = UNSET
    is_quota_sharing_available: IsSharing | UnsetType = UNSET
    prices: Annotated[dict[str, CreditsIn], Meta(description=PRICES)] | UnsetType = UNSET
    valid_from: (
        Annotated[
            Stamp,
            Meta(description="When the new prices begin, RFC 3339, not in the past. Default: now."),
        ]
        | UnsetType
    ) = UNSET
    unmapped: Unmapped | UnsetType = UNSET
    is_shadow: IsShadow | UnsetType = UNSET


class PlanChange(PlanPatch, kw_only=True, frozen=True):
    """The change of the plan with this slug."""

    slug: str


class WindowLimitsData(Struct, frozen=True):
    """The limits of one channel."""

    hour: Hour
    day: Day
    month: Month


class LimitsData(Struct, frozen=True):
    """The limits of each channel."""

    api: Annotated[WindowLimitsData, Meta(description="Limits of the channel `api`.")]
    portal: Annotated[WindowLimitsData, Meta(description="Limits of the channel `portal`.")]


class ScheduledPlanPrice(Struct, frozen=True):
    """A price of a plan that is still to come."""

    log_type: Annotated[str, Meta(description="Slug of the log type.")]
    credits: Annotated[Number, Meta(description="What a call will cost.")]
    valid_from: Annotated[Stamp, Meta(description="When the price begins, ISO 8601 in UTC.")]


class PlanData(Struct, kw_only=True, frozen=True):
    """A plan."""

    slug: Slug
    name: Name
    credits_per_month: Annotated[Number, Meta(description=CREDITS)]
    limits: Annotated[LimitsData, Meta(description=LIMITS)]
    requests_per_minute: PerMinute
    requests_per_second: PerSecond
    is_api_access_available: IsApiAccess
    is_quota_sharing_available: IsSharing
    prices: Annotated[dict[str, Number], Meta(description=PRICES)]
    scheduled_prices: Annotated[
        list[ScheduledPlanPrice], Meta(description="Prices of this plan that are still to come.")
    ]
    unmapped: Unmapped
    is_shadow: IsShadow
    created_at: CreatedAt

"""Workspaces and their users, as they come in and go out."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from farebox.service.forms.common import CreatedAt, CreditsAbove0In, Number, ProfileId

Name = Annotated[
    str,
    Meta(
        description="Name of the workspace, at most 55 characters.",
        extra_json_schema={"minLength": 1, "maxLength": 55},
    ),
]
Description = Annotated[
    str,
    Meta(
        description="What the workspace is, at most 500 characters.",
        extra_json_schema={"maxLength": 500},
    ),
]
PlanSlug = Annotated[str, Meta(description="Slug of the plan.")]
Timezone = Annotated[
    str, Meta(description="IANA timezone that days, months and periods are counted in.")
]
Licences = Annotated[
    int,
    Meta(
        description="How many users the workspace may have; its limits are multiplied by it.",
        ge=1,
        le=1_000_000,
    ),
]
IsSharing = Annotated[
    bool, Meta(description="Whether its users share one quota, where the plan allows it.")
]
AnchorDay = Annotated[
    int,
    Meta(
        description=(
            "Day of the month on which its periods begin; the month's last day where it has no "
            "such day."
        ),
        ge=1,
        le=31,
    ),
]
Status = Annotated[
    Literal["active", "suspended"],
    Meta(description="The keys of a suspended workspace are answered with 403."),
]
IsAutoTopUp = Annotated[
    bool,
    Meta(
        description=(
            "Whether credits are topped up by themselves; both amounts are needed for that."
        )
    ),
]
IsAutoTopUpGranted = Annotated[
    bool,
    Meta(
        description=(
            "Whether such a top-up grants its credits at once; otherwise the webhook tells of it "
            "and nothing is granted."
        )
    ),
]
TOP_UP_CREDIT = "How many credits such a top-up brings."
TOP_UP_BELOW = "The balance below which such a top-up happens."
TopUpCreditIn = Annotated[CreditsAbove0In | None, Meta(description=TOP_UP_CREDIT)]
TopUpBelowIn = Annotated[CreditsAbove0In | None, Meta(description=TOP_UP_BELOW)]
Nickname = Annotated[
    str,
    Meta(
        description="Name of the user, at most 100 characters.",
        extra_json_schema={"minLength": 1, "maxLength": 100},
    ),
]
Email = Annotated[
    str,
    Meta(
        description="Email address of the user, unique within the workspace.",
        extra_json_schema={"minLength": 3, "maxLength": 254},
    ),
]
UserId = Annotated[
    str, Meta(description="Id of the user, a UUID.", extra_json_schema={"format": "uuid"})
]


class WorkspaceCreate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A new workspace, with its owner and the plan credits of its first period."""

    name: Name
    plan: PlanSlug
    timezone: Timezone = "UTC"
    licences: Licences = 1
    is_quota_sharing_enabled: IsSharing = False
    description: Description = ""
    anchor_day: AnchorDay = 1
    status: Status = "active"
    is_auto_top_up_credits_enabled: IsAutoTopUp = False
    auto_top_up_credit: TopUpCreditIn = None
    auto_top_up_balance_fall_below: TopUpBelowIn = None
    is_auto_top_up_granted: IsAutoTopUpGranted = False
    owner_nickname: (
        Annotated[str, Meta(description="Name of its first user. Default: the workspace's name.")]
        | None
    ) = None
    owner_email: (
        Annotated[
            str,
            Meta(description="Email address of its first user. Default: one that goes nowhere."),
        ]
        | None
    ) = None


class WorkspacePatch(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What of a workspace is to change.

    A plan with more monthly credits counts at once and grants the difference; one with fewer waits
    for the next period. A new timezone or anchor day lets the open period end as planned.
    """

    name: Name | UnsetType = UNSET
    plan: PlanSlug | UnsetType = UNSET
    timezone: Timezone | UnsetType = UNSET
    licences: Licences | UnsetType = UNSET
    is_quota_sharing_enabled: IsSharing | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    anchor_day: AnchorDay | UnsetType = UNSET
    status: Status | UnsetType = UNSET
    is_auto_top_up_credits_enabled: IsAutoTopUp | UnsetType = UNSET
    auto_top_up_credit: TopUpCreditIn | UnsetType = UNSET
    auto_top_up_balance_fall_below: TopUpBelowIn | UnsetType = UNSET
    is_auto_top_up_granted: IsAutoTopUpGranted | UnsetType = UNSET


class WorkspaceChange(WorkspacePatch, kw_only=True, frozen=True):
    """The change of the workspace with this id."""

    profile_id: int


class WorkspaceData(Struct, kw_only=True, frozen=True):
    """A workspace."""

    profile_id: ProfileId
    uid: Annotated[
        str,
        Meta(
            description="Unique id of the workspace, a UUID.", extra_json_schema={"format": "uuid"}
        ),
    ]
    name: Name
    description: Description
    plan: PlanSlug
    next_plan: Annotated[
        str | None, Meta(description="Slug of the plan that the next period begins with.")
    ]
    timezone: Timezone
    licences: Licences
    is_quota_sharing_enabled: IsSharing
    anchor_day: AnchorDay
    status: Status
    is_auto_top_up_credits_enabled: IsAutoTopUp
    auto_top_up_credit: Annotated[Number | None, Meta(description=TOP_UP_CREDIT)]
    auto_top_up_balance_fall_below: Annotated[Number | None, Meta(description=TOP_UP_BELOW)]
    is_auto_top_up_granted: IsAutoTopUpGranted
    owner_user_id: UserId
    created_at: CreatedAt


class UserCreate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A new user of a workspace that has a licence left."""

    nickname: Nickname
    email: Email


class UserMake(UserCreate, kw_only=True, frozen=True):
    """The same, and the workspace it is for."""

    profile_id: int


class UserPatch(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What of a user is to change."""

    nickname: Nickname | UnsetType = UNSET
    email: Email | UnsetType = UNSET


class UserChange(UserPatch, kw_only=True, frozen=True):
    """The change of the user with this id."""

    profile_id: int
    user_id: str


class UserData(Struct, kw_only=True, frozen=True):
    """A user of a workspace."""

    user_id: UserId
    nickname: Nickname
    email: Email
    is_owner: Annotated[
        bool, Meta(description="Whether it is the workspace's owner, made together with it.")
    ]
    created_at: CreatedAt

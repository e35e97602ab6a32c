"""Grants, corrections and statements, as they come in and go out."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from farebox.service.forms.common import (
    CreatedAt,
    CreditsAbove0In,
    Number,
    ProfileId,
    SignedCreditsIn,
    Stamp,
)

GrantId = Annotated[int, Meta(description="Number of the grant within the workspace.")]
Priority = Annotated[
    int,
    Meta(
        description=(
            "Of grants that expire together, or never, the one of the highest priority is spent "
            "first."
        ),
        ge=-1_000_000,
        le=1_000_000,
    ),
]
GrantKind = Annotated[
    Literal["plan", "topup", "promotion", "correction"],
    Meta(description="What the credits were given for."),
]
ExpiresAt = Annotated[
    Stamp | None, Meta(description="When what is left expires, ISO 8601 in UTC; `null` is never.")
]
RequestId = Annotated[
    str,
    Meta(
        description="The `query_log_id` of the request.",
        extra_json_schema={"format": "uuid"},
    ),
]
Reason = Annotated[
    str,
    Meta(
        description="Why, for people; at most 500 characters.",
        extra_json_schema={"minLength": 1, "maxLength": 500},
    ),
]
SIGNED = "Above 0 charges more, below 0 gives back."


class GrantCreate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Credits to be given to a workspace. They pay what it owes first."""

    credits: Annotated[CreditsAbove0In, Meta(description="How many credits.")]
    kind: Annotated[
        Literal["topup", "promotion", "plan"],
        Meta(description="What the credits were given for."),
    ]
    expires_at: Annotated[
        Stamp | None,
        Meta(description="When what is left expires, RFC 3339, in the future; `null` is never."),
    ] = None
    priority: Priority = 0


class GrantMake(GrantCreate, kw_only=True, frozen=True):
    """The same, and the workspace it is for."""

    profile_id: int


class GrantData(Struct, kw_only=True, frozen=True):
    """A grant and what is left of it."""

    grant_id: GrantId
    kind: GrantKind
    credits: Annotated[Number, Meta(description="How many credits were given.")]
    credits_left: Annotated[Number, Meta(description="How many of them can still be spent.")]
    priority: Priority
    created_at: CreatedAt
    expires_at: ExpiresAt


class CorrectionCreate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A correction of what a request cost. It moves today's credits and changes no report."""

    request_id: RequestId
    credits: Annotated[SignedCreditsIn, Meta(description=SIGNED)]
    reason: Reason


class CorrectionMake(CorrectionCreate, kw_only=True, frozen=True):
    """The same, and the workspace it is for."""

    profile_id: int


class CorrectionData(Struct, kw_only=True, frozen=True):
    """A correction."""

    correction_id: Annotated[
        int, Meta(description="Number of the correction within the workspace.")
    ]
    request_id: RequestId
    credits: Annotated[Number, Meta(description=SIGNED)]
    reason: Reason
    created_at: CreatedAt


class StatementGrant(Struct, frozen=True):
    """A grant, or what expired of one."""

    grant_id: GrantId
    kind: GrantKind
    credits: Annotated[Number, Meta(description="How many credits.")]
    at: Annotated[Stamp, Meta(description="When it counted, ISO 8601 in UTC.")]
    expires_at: ExpiresAt


class StatementCharge(Struct, frozen=True):
    """What was charged for the calls of one log type."""

    slug: Annotated[str | None, Meta(description="Slug of the log type; `null` for the unmapped.")]
    name: Annotated[str, Meta(description="Name of the log type.")]
    requests: Annotated[int, Meta(description="How many calls.")]
    credits: Annotated[Number, Meta(description="What they cost together.")]


class StatementData(Struct, kw_only=True, frozen=True):
    """The credits of a workspace in a period: the opening balance and all that moved since.

    closing = opening + granted - expired - charged - corrected.
    """

    profile_id: ProfileId
    name: Annotated[str, Meta(description="Name of the workspace.")]
    plan: Annotated[str, Meta(description="Slug of the period's plan.")]
    timezone: Annotated[str, Meta(description="The workspace's timezone.")]
    period_start: Annotated[Stamp, Meta(description="Start of the period, ISO 8601 in UTC.")]
    period_end: Annotated[
        Stamp, Meta(description="End of the period, which isn't in it, ISO 8601 in UTC.")
    ]
    is_closed: Annotated[bool, Meta(description="Whether the period is over.")]
    opening_balance: Annotated[
        Number, Meta(description="Credits at the start; below 0 when overdrawn.")
    ]
    granted: Annotated[Number, Meta(description="Credits given, without corrections.")]
    expired: Annotated[Number, Meta(description="Credits that expired unspent.")]
    charged: Annotated[Number, Meta(description="Credits charged for calls.")]
    corrected: Annotated[
        Number, Meta(description="What corrections charged, less what they gave back.")
    ]
    closing_balance: Annotated[
        Number,
        Meta(
            description=(
                "Credits at the end, or now: opening balance + granted - expired - charged - "
                "corrected."
            )
        ),
    ]
    grants: Annotated[list[StatementGrant], Meta(description="The grants, the oldest first.")]
    charges: Annotated[
        list[StatementCharge], Meta(description="The charges by log type, the largest first.")
    ]
    expiries: Annotated[
        list[StatementGrant], Meta(description="What expired unspent, the oldest first.")
    ]
    corrections: Annotated[
        list[CorrectionData], Meta(description="The corrections, the oldest first.")
    ]
    history_charged: Annotated[
        Number,
        Meta(
            description=(
                "What calls of former periods cost that were imported in this one. It is in no "
                "balance."
            )
        ),
    ]
    history_charges: Annotated[
        list[StatementCharge], Meta(description="The same by log type, the largest first.")
    ]
    is_cut: Annotated[
        bool,
        Meta(
            description=(
                "Whether a list of grants, expiries or corrections ends after its first 1,000. The "
                "sums are always complete."
            )
        ),
    ]


class StatementOpen(Struct, kw_only=True, frozen=True):
    """The workspace whose periods are to be brought up to the present."""

    profile_id: int

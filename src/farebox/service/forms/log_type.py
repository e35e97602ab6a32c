"""Log types, as they come in and go out."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from farebox.service.forms.common import CreatedAt, CreditsIn, Number, Slug, Stamp
from farebox.service.forms.plan import Name

CREDITS = "What a call costs."
HOLD = "What admission holds for a call, at least its credits. Default: its credits."
Method = Annotated[
    str | None,
    Meta(
        description="HTTP method; `null` is any. It needs a `path`.",
        extra_json_schema={"maxLength": 32},
    ),
]
Path = Annotated[
    str | None,
    Meta(
        description=(
            "Path template of the calls: `{x}` is one segment, a last `*` any rest. Without one "
            "the log type is found by its slug only."
        ),
        extra_json_schema={"maxLength": 512},
    ),
]


class LogTypeCreate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A new log type."""

    slug: Slug
    name: Name
    credits: Annotated[CreditsIn, Meta(description=CREDITS)]
    hold_credits: Annotated[CreditsIn | None, Meta(description=HOLD)] = None
    method: Method = None
    path: Path = None


class LogTypePatch(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What of a log type is to change. A hold that equals the credits follows them."""

    name: Name | UnsetType = UNSET
    credits: Annotated[CreditsIn, Meta(description=CREDITS)] | UnsetType = UNSET
    hold_credits: Annotated[CreditsIn, Meta(description=HOLD)] | UnsetType = UNSET
    valid_from: (
        Annotated[
            Stamp,
            Meta(description="When the new price begins, RFC 3339, not in the past. Default: now."),
        ]
        | UnsetType
    ) = UNSET
    method: Method | UnsetType = UNSET
    path: Path | UnsetType = UNSET


class LogTypeChange(LogTypePatch, kw_only=True, frozen=True):
    """The change of the log type with this slug."""

    slug: str


class ScheduledPrice(Struct, frozen=True):
    """A price that is still to come."""

    credits: Annotated[Number, Meta(description=CREDITS)]
    hold_credits: Annotated[Number, Meta(description=HOLD)]
    valid_from: Annotated[Stamp, Meta(description="When the price begins, ISO 8601 in UTC.")]


class LogTypeData(Struct, kw_only=True, frozen=True):
    """A log type with the price that is valid now."""

    log_type_id: Annotated[int, Meta(description="Id of the log type.")]
    slug: Slug
    name: Name
    credits: Annotated[Number, Meta(description=CREDITS)]
    hold_credits: Annotated[Number, Meta(description=HOLD)]
    method: Method
    path: Path
    scheduled_prices: Annotated[
        list[ScheduledPrice], Meta(description="Prices that are still to come.")
    ]
    created_at: CreatedAt

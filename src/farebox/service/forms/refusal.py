"""Refusals, as they come to the recorder and go out."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

from farebox.core.refusal import RefusalSum
from farebox.core.request import Channel
from farebox.service.forms.common import Number, ProfileId, Stamp

KeyId = Annotated[str | None, Meta(description="Id of the API key; `null` for an unknown one.")]
Mask = Annotated[str | None, Meta(description="The API key, masked; `null` for an unknown one.")]
DeniedBy = Annotated[
    str, Meta(description="What refused: the name of a limit, such as `hour` or `credits`, or why.")
]
Refused = Annotated[int, Meta(description="How many calls were refused.")]
Shadowed = Annotated[
    int,
    Meta(description="How many calls would have been refused, but the plan is in shadow mode."),
]


class Explained(NamedTuple):
    """A refusal as it is stored: bare of secrets and within bounds; `limits` are JSON."""

    profile_id: int
    time_ms: int
    key_id: str
    status: int
    code: int
    denied_by: str
    log_type_id: int
    channel: Channel
    method: str | None
    path: str | None
    ip: str | None
    limits: str
    retry_at_ms: int | None
    is_shadow: bool


class RefusalsNote(Struct, kw_only=True, frozen=True):
    """A batch of refusals; the same `sequence` of a `source` again counts nothing."""

    source: str
    sequence: int
    sums: list[RefusalSum]
    explained: list[Explained]


class RefusalLimit(Struct, frozen=True):
    """A limit that was looked at."""

    name: Annotated[str, Meta(description="Name of the limit.")]
    limit: Annotated[
        Number | None,
        Meta(description="What it allows: requests or credits; `null` for a balance."),
    ]
    remaining: Annotated[Number, Meta(description="What was left of it.")]
    reset: Annotated[
        Stamp | None, Meta(description="When it begins anew, ISO 8601 in UTC; `null` for never.")
    ]


class RefusalData(Struct, kw_only=True, frozen=True):
    """A refused call, explained."""

    refusal_id: Annotated[int, Meta(description="Number of the refusal; a newer one has more.")]
    at: Annotated[Stamp, Meta(description="When it was refused, ISO 8601 in UTC.")]
    profile_id: Annotated[
        int | None, Meta(description="Id of the workspace; `null` when the API key is unknown.")
    ]
    key_id: KeyId
    masked_authentication: Mask
    status: Annotated[int, Meta(description="HTTP status that the caller was told.")]
    code: Annotated[int, Meta(description="Code of the error.")]
    message: Annotated[str, Meta(description="What the caller was told, in English.")]
    denied_by: DeniedBy
    log_type_slug: Annotated[
        str | None, Meta(description="Slug of the log type; `null` for the unmapped.")
    ]
    channel: Annotated[str, Meta(description="The channel whose quotas were looked at.")]
    method: Annotated[str | None, Meta(description="HTTP method.")]
    path: Annotated[str | None, Meta(description="Path without its query.")]
    ip: Annotated[str | None, Meta(description="IP address of the caller.")]
    limits: Annotated[list[RefusalLimit], Meta(description="The limits that were looked at.")]
    retry_at: Annotated[
        Stamp | None,
        Meta(
            description=(
                "When it was worth another try, ISO 8601 in UTC; `null` when waiting changes "
                "nothing."
            )
        ),
    ]
    is_shadow: Annotated[
        bool, Meta(description="Whether it was let through, since the plan is in shadow mode.")
    ]


class RefusalTotals(Struct, frozen=True):
    """Refusals in all."""

    refusals: Refused
    shadow_refusals: Shadowed


class RefusalDay(Struct, frozen=True):
    """The refusals of a day."""

    date: Annotated[str, Meta(description="The day in the workspace's timezone, `YYYY-MM-DD`.")]
    refusals: Refused
    shadow_refusals: Shadowed


class RefusalReason(Struct, frozen=True):
    """The refusals for a reason."""

    denied_by: DeniedBy
    refusals: Refused
    shadow_refusals: Shadowed


class RefusalKey(Struct, frozen=True):
    """The refusals of an API key for a reason."""

    key_id: KeyId
    masked_authentication: Mask
    denied_by: DeniedBy
    refusals: Refused
    shadow_refusals: Shadowed
    last_at: Annotated[Stamp, Meta(description="When the last was refused, ISO 8601 in UTC.")]


class RefusalCounts(Struct, kw_only=True, frozen=True):
    """How many calls of a workspace were refused in a range of days, and why."""

    profile_id: ProfileId
    start_date: Annotated[str, Meta(description="The first day, `YYYY-MM-DD`.")]
    end_date: Annotated[str, Meta(description="The last day, `YYYY-MM-DD`.")]
    timezone: Annotated[str, Meta(description="The workspace's timezone.")]
    totals: Annotated[RefusalTotals, Meta(description="All refusals of the range.")]
    days: Annotated[
        list[RefusalDay], Meta(description="By day, the oldest first; days without are absent.")
    ]
    reasons: Annotated[list[RefusalReason], Meta(description="By reason, the most frequent first.")]
    keys: Annotated[
        list[RefusalKey], Meta(description="By API key and reason, the most frequent first.")
    ]
    is_cut: Annotated[
        bool,
        Meta(
            description=(
                "Whether `keys` ends after its first 1,000. The other sums are always complete."
            )
        ),
    ]

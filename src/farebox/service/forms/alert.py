"""Alerts and what they have told, as they come in and go out."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from farebox.core.alert import THRESHOLD_MAX, THRESHOLDS_MAX
from farebox.service.forms.common import CreatedAt, Number, Stamp

AlertId = Annotated[str, Meta(description="Id of the alert.")]
Kind = Annotated[
    Literal["credits", "hour", "day", "month"],
    Meta(
        description=(
            "Which limit: the credits of the period, or the requests of an hour, day or month."
        )
    ),
]
Channel = Annotated[
    Literal["api", "portal"] | None,
    Meta(description="Which quota is watched; `null` for credits."),
]
Thresholds = Annotated[
    list[Annotated[int, Meta(ge=1, le=THRESHOLD_MAX)]],
    Meta(
        description=(
            "Percents of the limit, at most 10, ascending; each is told once a window, or period."
        ),
        min_length=1,
        max_length=THRESHOLDS_MAX,
    ),
]


class AlertCreate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A new alert."""

    kind: Kind
    thresholds: Thresholds
    channel: Channel = None


class AlertMake(AlertCreate, kw_only=True, frozen=True):
    """The same, and the workspace it is for."""

    profile_id: int


class AlertEnd(Struct, kw_only=True, frozen=True):
    """The end of the alert with this id."""

    profile_id: int
    alert_id: str


class AlertFired(Struct, kw_only=True, frozen=True):
    """A threshold that was reached."""

    threshold_percent: Annotated[int, Meta(description="The threshold.")]
    used: Annotated[Number, Meta(description="Requests or credits used when it was noticed.")]
    limit: Annotated[Number, Meta(description="The limit then.")]
    window_start: Annotated[Stamp, Meta(description="Start of the window, ISO 8601 in UTC.")]
    window_end: Annotated[
        Stamp, Meta(description="End of the window, which isn't in it, ISO 8601 in UTC.")
    ]
    user_id: Annotated[
        str | None,
        Meta(description="The user who has used most, where users don't share a quota."),
    ]
    fired_at: Annotated[Stamp, Meta(description="When it was noticed, ISO 8601 in UTC.")]


class AlertData(Struct, kw_only=True, frozen=True):
    """An alert, and what it has told last."""

    alert_id: AlertId
    kind: Kind
    channel: Channel
    thresholds: Thresholds
    created_at: CreatedAt
    fired: Annotated[
        list[AlertFired],
        Meta(description="The last 20 thresholds that were reached, the newest first."),
    ]


class Crossing(Struct, frozen=True):
    """A threshold that a window has reached; `used` and `allowed` as in `alert_firings`."""

    profile_id: int
    alert_id: str
    threshold_percent: int
    window_start_ms: int
    window_end_ms: int
    used: int
    allowed: int
    user_id: str | None


class AlertsFire(Struct, kw_only=True, frozen=True):
    """Thresholds to be told, unless they were already."""

    crossings: list[Crossing]


class AlertsFiredNow(Struct, frozen=True):
    """How many of them were new."""

    count: int

"""Webhooks and their deliveries, as they come in and go out. A signing secret leaves once."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from farebox.core.webhook import EVENT_TYPES, URL_LENGTH_MAX
from farebox.service.forms.common import CreatedAt, Stamp

PROFILE_ID_MAX = 10**18

WebhookId = Annotated[str, Meta(description="Id of the webhook.")]
Url = Annotated[
    str,
    Meta(
        description="Where messages are sent to, by POST; an https URL of a public address.",
        extra_json_schema={"maxLength": URL_LENGTH_MAX},
    ),
]
EventTypes = Annotated[
    list[str] | None,
    Meta(
        description=(
            "Which events are sent: `alert.fired`, `credits.auto_top_up`, `webhook.test`; `null` "
            "is all, those to come too."
        ),
        extra_json_schema={"items": {"type": "string", "enum": list(EVENT_TYPES)}},
    ),
]
IsEnabled = Annotated[
    bool,
    Meta(description="Whether anything is sent; an endpoint that answers 410 is turned off."),
]
OfWorkspace = Annotated[
    Annotated[int, Meta(ge=1, le=PROFILE_ID_MAX)] | None,
    Meta(description="The workspace whose events are sent; `null` is all of them."),
]
MessageId = Annotated[
    str, Meta(description="Id of the message, the same in every attempt: `webhook-id`.")
]


class WebhookCreate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A new endpoint."""

    url: Url
    profile_id: OfWorkspace = None
    event_types: EventTypes = None


class WebhookMake(WebhookCreate, kw_only=True, frozen=True):
    """The same, and whether it may be any http URL."""

    is_http_allowed: bool = False


class WebhookPatch(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What of an endpoint is to change."""

    url: Url | UnsetType = UNSET
    event_types: EventTypes | UnsetType = UNSET
    is_enabled: IsEnabled | UnsetType = UNSET


class WebhookChange(WebhookPatch, kw_only=True, frozen=True):
    """The change of the endpoint with this id."""

    webhook_id: str
    is_http_allowed: bool = False


class WebhookEnd(Struct, kw_only=True, frozen=True):
    """The end of the endpoint with this id."""

    webhook_id: str


class WebhookProbe(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A test event; there is nothing to be told of it."""


class WebhookTest(WebhookProbe, kw_only=True, frozen=True):
    """The same for the endpoint with this id."""

    webhook_id: str


class WebhookData(Struct, kw_only=True, frozen=True):
    """An endpoint."""

    webhook_id: WebhookId
    profile_id: OfWorkspace
    url: Url
    event_types: EventTypes
    is_enabled: IsEnabled
    created_at: CreatedAt


class WebhookMade(WebhookData, kw_only=True, frozen=True):
    """A new endpoint, with its signing secret: it is shown here and never again."""

    secret: Annotated[
        str | None,
        Meta(
            description=(
                "What messages are signed with, as Standard Webhooks says; `null` when the call is "
                "repeated."
            )
        ),
    ]

    def __repr__(self) -> str:
        """Without the secret."""
        return f"WebhookMade(webhook_id={self.webhook_id!r})"


class WebhookBegun(WebhookData, kw_only=True, frozen=True):
    """An endpoint as the recorder made it; the secret is derived where it is shown."""

    is_new: bool


class WebhookTested(Struct, frozen=True):
    """The message of a test."""

    message_id: MessageId


class DeliveryData(Struct, kw_only=True, frozen=True):
    """A message on its way to an endpoint, and how its last attempt went."""

    message_id: MessageId
    event_type: Annotated[str, Meta(description="What happened.")]
    profile_id: OfWorkspace
    created_at: CreatedAt
    attempts: Annotated[int, Meta(description="How often it was sent.")]
    last_attempt_at: Annotated[
        Stamp | None, Meta(description="When it was sent last, ISO 8601 in UTC.")
    ]
    last_status: Annotated[
        int | None, Meta(description="The HTTP status of the last answer, if there was one.")
    ]
    last_duration_ms: Annotated[
        int | None, Meta(description="How long the last attempt took, in milliseconds.")
    ]
    last_error: Annotated[str | None, Meta(description="Why the last attempt failed.")]
    next_attempt_at: Annotated[
        Stamp | None,
        Meta(description="When it is sent next, ISO 8601 in UTC; `null` when it is over."),
    ]
    delivered_at: Annotated[
        Stamp | None, Meta(description="When the endpoint took it, ISO 8601 in UTC.")
    ]
    gave_up_at: Annotated[Stamp | None, Meta(description="When it was given up, ISO 8601 in UTC.")]


class DeliveriesClaim(Struct, kw_only=True, frozen=True):
    """Some deliveries to be sent now, at most so many, and none of the busy endpoints."""

    count: int
    busy: list[str] = []


class Claimed(Struct, frozen=True):
    """A delivery that whoever claimed it sends now; `attempt` counts from 1."""

    profile_id: int
    message_id: str
    webhook_id: str
    attempt: int
    url: str
    payload: str


class DeliveriesClaimed(Struct, frozen=True):
    """What was claimed, and how many were given up because their endpoint has ended."""

    claimed: list[Claimed]
    gave_up: int


class DeliveryFinish(Struct, kw_only=True, frozen=True):
    """How an attempt went; `error` is empty when the endpoint took it."""

    profile_id: int
    message_id: str
    webhook_id: str
    attempt: int
    status: int | None
    duration_ms: int
    error: str


class DeliveryFinished(Struct, frozen=True):
    """What becomes of it: delivered, retried or gave_up."""

    outcome: str


class MessagesForget(Struct, kw_only=True, frozen=True):
    """Forget some messages from before an instant, and their deliveries."""

    before_ms: int


class MessagesForgotten(Struct, frozen=True):
    """How many were forgotten; there may be more when it is the most that are at once."""

    count: int

"""Webhooks and alerts in the admin API."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from farebox.contract.admin.common import (
    ROOT,
    STAMP,
    USER_ID,
    WORKSPACE,
    Form,
    NextCursor,
    PageQuery,
    Texts,
    end,
    read,
    write,
)
from farebox.contract.wire import JsonObject
from farebox.core import errors
from farebox.service.forms.alert import AlertCreate, AlertData
from farebox.service.forms.webhook import (
    PROFILE_ID_MAX,
    DeliveryData,
    WebhookCreate,
    WebhookData,
    WebhookMade,
    WebhookPatch,
    WebhookProbe,
    WebhookTested,
)

WEBHOOK = f"{ROOT}/webhooks/{{webhook_id}}"
MESSAGE_ID = "msg_5hZ0c2rWq8Lm"
_WEBHOOK: JsonObject = {
    "webhook_id": "whk_5hZ0c2rWq8Lm",
    "profile_id": 1,
    "url": "https://example.com/farebox",
    "event_types": ["alert.fired"],
    "is_enabled": True,
    "created_at": STAMP,
}
_DELIVERY: JsonObject = {
    "message_id": MESSAGE_ID,
    "event_type": "alert.fired",
    "profile_id": 1,
    "created_at": STAMP,
    "attempts": 1,
    "last_attempt_at": STAMP,
    "last_status": 503,
    "last_duration_ms": 184,
    "last_error": "the answer was 503",
    "next_attempt_at": "2026-05-05T11:09:48.121Z",
    "delivered_at": None,
    "gave_up_at": None,
}
_ALERT: JsonObject = {
    "alert_id": "alr_5hZ0c2rWq8Lm",
    "kind": "day",
    "channel": "api",
    "thresholds": [50, 80, 100],
    "created_at": STAMP,
    "fired": [
        {
            "threshold_percent": 50,
            "used": 5000,
            "limit": 10000,
            "window_start": "2026-05-05T00:00:00.000Z",
            "window_end": "2026-05-06T00:00:00.000Z",
            "user_id": USER_ID,
            "fired_at": STAMP,
        }
    ],
}


class WebhooksQuery(PageQuery, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Which page, and whose."""

    profile_id: Annotated[
        Annotated[int, Meta(ge=1, le=PROFILE_ID_MAX)] | None,
        Meta(description="Only the webhooks of this workspace. Default: all."),
    ] = None


class WebhooksAnswer(Struct, frozen=True):
    """A page of webhooks."""

    data: list[WebhookData]
    next_cursor: NextCursor


class DeliveriesAnswer(Struct, frozen=True):
    """A page of deliveries."""

    data: list[DeliveryData]
    next_cursor: NextCursor


class AlertsAnswer(Struct, frozen=True):
    """A page of alerts."""

    data: list[AlertData]
    next_cursor: NextCursor


WEBHOOKS_CREATE = write(
    "admin_webhooks_create",
    "POST",
    f"{ROOT}/webhooks",
    Texts(
        "Create a Webhook",
        "Have events sent to a URL",
        "Messages are signed as Standard Webhooks says. The secret to check them with is in this "
        "answer only, and never shown again.",
    ),
    Form(
        WebhookCreate,
        {"url": "https://example.com/farebox", "profile_id": 1, "event_types": ["alert.fired"]},
    ),
    Form(WebhookMade, {**_WEBHOOK, "secret": "whsec_…"}),
    errors.TOO_MANY,
)
WEBHOOKS_LIST = read(
    "admin_webhooks_list",
    f"{ROOT}/webhooks",
    Texts(
        "List the Webhooks",
        "List the webhooks",
        "All webhooks, the oldest first, or those of one workspace.",
    ),
    Form(WebhooksAnswer, {"data": [_WEBHOOK], "next_cursor": None}),
    query=WebhooksQuery,
)
WEBHOOKS_GET = read(
    "admin_webhooks_get",
    WEBHOOK,
    Texts("Get a Webhook", "Get a webhook", "The webhook with this id, without its secret."),
    Form(WebhookData, _WEBHOOK),
)
WEBHOOKS_CHANGE = write(
    "admin_webhooks_change",
    "PATCH",
    WEBHOOK,
    Texts(
        "Change a Webhook",
        "Change a webhook, or turn it off or on",
        "What isn't sent stays as it is. What waits for a webhook that is turned off is given up.",
    ),
    Form(WebhookPatch, {"is_enabled": True}),
    Form(WebhookData, _WEBHOOK),
)
WEBHOOKS_DELETE = end(
    "admin_webhooks_delete",
    WEBHOOK,
    Texts(
        "Delete a Webhook",
        "Delete a webhook for good",
        "Nothing more is sent there, not even what waits.",
    ),
)
WEBHOOKS_TEST = write(
    "admin_webhooks_test",
    "POST",
    f"{WEBHOOK}/test",
    Texts(
        "Test a Webhook",
        "Have a test event sent to a webhook",
        "The event `webhook.test` is sent, whichever events the webhook wants. How it went stands "
        "among the deliveries.",
    ),
    Form(WebhookProbe, {}),
    Form(WebhookTested, {"message_id": MESSAGE_ID}),
    errors.WEBHOOK_DISABLED,
)
DELIVERIES_LIST = read(
    "admin_deliveries_list",
    f"{WEBHOOK}/deliveries",
    Texts(
        "List the Deliveries",
        "List what was sent to a webhook",
        "All messages of the last 30 days for the webhook, the newest first, and how the last "
        "attempt to send each of them went.",
    ),
    Form(DeliveriesAnswer, {"data": [_DELIVERY], "next_cursor": None}),
    query=PageQuery,
)
ALERTS_CREATE = write(
    "admin_alerts_create",
    "POST",
    f"{WORKSPACE}/alerts",
    Texts(
        "Create an Alert",
        "Have it told when a workspace nears a limit",
        "Each threshold that is reached makes one event `alert.fired` a window, which is sent to "
        "the webhooks that want it. A threshold that is reached already is told at once.",
    ),
    Form(AlertCreate, {"kind": "day", "channel": "api", "thresholds": [50, 80, 100]}),
    Form(AlertData, {**_ALERT, "fired": []}),
    errors.TOO_MANY,
)
ALERTS_LIST = read(
    "admin_alerts_list",
    f"{WORKSPACE}/alerts",
    Texts(
        "List the Alerts",
        "List the alerts of a workspace",
        "All alerts of the workspace, the oldest first, with what they have told last.",
    ),
    Form(AlertsAnswer, {"data": [_ALERT], "next_cursor": None}),
    query=PageQuery,
)
ALERTS_DELETE = end(
    "admin_alerts_delete",
    f"{WORKSPACE}/alerts/{{alert_id}}",
    Texts(
        "Delete an Alert",
        "Delete an alert",
        "Nothing more is told by it, and what it has told is forgotten.",
    ),
)

OPERATIONS = (
    WEBHOOKS_CREATE,
    WEBHOOKS_LIST,
    WEBHOOKS_GET,
    WEBHOOKS_CHANGE,
    WEBHOOKS_DELETE,
    WEBHOOKS_TEST,
    DELIVERIES_LIST,
    ALERTS_CREATE,
    ALERTS_LIST,
    ALERTS_DELETE,
)

"""Webhooks and alerts: create, list, get, change, test and delete."""

from __future__ import annotations

from farebox.api.admin.common import joined, page_of, profile_id_of, read, write
from farebox.api.call import Answer, Call, Handler
from farebox.contract.admin import webhooks as contract
from farebox.service.alerts import list_alerts
from farebox.service.deliveries import list_deliveries
from farebox.service.forms.alert import AlertCreate, AlertData, AlertEnd, AlertMake
from farebox.service.forms.common import Nothing
from farebox.service.forms.webhook import (
    WebhookBegun,
    WebhookChange,
    WebhookCreate,
    WebhookData,
    WebhookEnd,
    WebhookMake,
    WebhookPatch,
    WebhookProbe,
    WebhookTest,
    WebhookTested,
)
from farebox.service.pages import turn
from farebox.service.webhooks import list_webhooks, read_webhook, shown


async def create_webhook(call: Call) -> Answer:
    """Make an endpoint; its secret is told here."""
    call.context.secret.check()
    is_http_allowed = call.context.is_webhook_private_allowed
    form = joined(WebhookMake, call.body(WebhookCreate), is_http_allowed=is_http_allowed)
    begun = await write(call, "webhooks.create", form, WebhookBegun)
    return shown(begun, call.context.secret)


async def list_all_webhooks(call: Call) -> Answer:
    """A page of endpoints."""
    query = call.query(contract.WebhooksQuery)
    at = turn(query.cursor, query.limit)
    found = await read(call, lambda reader: list_webhooks(reader, at, query.profile_id))
    return contract.WebhooksAnswer(*found)


async def get_webhook(call: Call) -> Answer:
    """An endpoint."""
    webhook_id = call.path("webhook_id")
    return await read(call, lambda reader: read_webhook(reader, webhook_id))


async def change_webhook(call: Call) -> Answer:
    """Change an endpoint."""
    form = joined(
        WebhookChange,
        call.body(WebhookPatch),
        webhook_id=call.path("webhook_id"),
        is_http_allowed=call.context.is_webhook_private_allowed,
    )
    return await write(call, "webhooks.change", form, WebhookData)


async def delete_webhook(call: Call) -> Answer:
    """End an endpoint."""
    await write(call, "webhooks.delete", WebhookEnd(webhook_id=call.path("webhook_id")), Nothing)
    return None


async def send_test(call: Call) -> Answer:
    """Have a test event sent."""
    form = joined(WebhookTest, call.body(WebhookProbe), webhook_id=call.path("webhook_id"))
    return await write(call, "webhooks.test", form, WebhookTested)


async def list_all_deliveries(call: Call) -> Answer:
    """A page of an endpoint's log."""
    webhook_id, at = call.path("webhook_id"), page_of(call)
    found = await read(call, lambda reader: list_deliveries(reader, webhook_id, at))
    return contract.DeliveriesAnswer(*found)


async def create_alert(call: Call) -> Answer:
    """Make an alert."""
    form = joined(AlertMake, call.body(AlertCreate), profile_id=profile_id_of(call))
    return await write(call, "alerts.create", form, AlertData)


async def list_all_alerts(call: Call) -> Answer:
    """A page of alerts."""
    profile_id, at = profile_id_of(call), page_of(call)
    found = await read(call, lambda reader: list_alerts(reader, profile_id, at))
    return contract.AlertsAnswer(*found)


async def delete_alert(call: Call) -> Answer:
    """End an alert."""
    form = AlertEnd(profile_id=profile_id_of(call), alert_id=call.path("alert_id"))
    await write(call, "alerts.delete", form, Nothing)
    return None


HANDLERS: dict[str, Handler] = {
    contract.WEBHOOKS_CREATE.operation_id: create_webhook,
    contract.WEBHOOKS_LIST.operation_id: list_all_webhooks,
    contract.WEBHOOKS_GET.operation_id: get_webhook,
    contract.WEBHOOKS_CHANGE.operation_id: change_webhook,
    contract.WEBHOOKS_DELETE.operation_id: delete_webhook,
    contract.WEBHOOKS_TEST.operation_id: send_test,
    contract.DELIVERIES_LIST.operation_id: list_all_deliveries,
    contract.ALERTS_CREATE.operation_id: create_alert,
    contract.ALERTS_LIST.operation_id: list_all_alerts,
    contract.ALERTS_DELETE.operation_id: delete_alert,
}

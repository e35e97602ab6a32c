"""Webhooks: the endpoints that events are sent to, of a workspace or of the provider.

An endpoint's signing secret is derived from the program's secret and the endpoint's id, wherever
it is needed, and never stored. The recorder doesn't know it: who asks for an endpoint derives it
for the one answer that shows it. A URL may hold a secret of the receiver's, so it stands in no
record of changes and in no log.
"""

from __future__ import annotations

import base64
from typing import NamedTuple

import msgspec
from msgspec import UNSET

from farebox.core.errors import NOT_FOUND, TOO_MANY, WEBHOOK_DISABLED, FareboxError
from farebox.core.instant import to_iso_ms
from farebox.core.key import mint_id
from farebox.core.phrase import Phrase
from farebox.core.webhook import EVENT_TYPES, TEST, is_endpoint_url
from farebox.engine.outbox import NO_WORKSPACE, send_to
from farebox.engine.secret import ProgramSecret
from farebox.engine.transaction import Command, Transaction
from farebox.service import fields
from farebox.service.forms.common import Nothing
from farebox.service.forms.webhook import (
    WebhookBegun,
    WebhookChange,
    WebhookData,
    WebhookEnd,
    WebhookMade,
    WebhookMake,
    WebhookTest,
    WebhookTested,
)
from farebox.service.pages import Page, Turn, page
from farebox.service.workspaces import workspace_row
from farebox.store.contract import Reader

WEBHOOKS_MAX = 50
SECRET_PREFIX = "whsec_"  # noqa: S105 - a prefix, not a secret


class WebhookRow(NamedTuple):
    """An endpoint; `event_types` is a JSON list, None for all."""

    profile_id: int
    webhook_id: str
    url: str
    event_types: str | None
    created_at_ms: int
    disabled_at_ms: int | None


def signing_secret(secret: ProgramSecret, webhook_id: str) -> str:
    """What an endpoint's messages are signed with, as Standard Webhooks writes it.

    Raises:
        FareboxError: 503, the program's secret can't be had.
    """
    key = secret.derive(f"webhook {webhook_id}")
    return SECRET_PREFIX + base64.b64encode(key).decode()


def shown(begun: WebhookBegun, secret: ProgramSecret) -> WebhookMade:
    """A new endpoint with its secret; without, when the call was a repeat."""
    values = msgspec.structs.asdict(begun)
    is_new = values.pop("is_new")
    told = signing_secret(secret, begun.webhook_id) if is_new else None
    return WebhookMade(**values, secret=told)


def create_webhook(tx: Transaction, made: WebhookMake) -> WebhookBegun:
    """Make an endpoint."""
    profile_id = NO_WORKSPACE
    if made.profile_id is not None:
        profile_id = workspace_row(tx.db, made.profile_id).profile_id
    if tx.db.integer("webhooks_count", profile_id=profile_id) >= WEBHOOKS_MAX:
        raise FareboxError(TOO_MANY, most=WEBHOOKS_MAX)
    row = WebhookRow(
        profile_id,
        mint_id("whk_", tx.entropy.random_below),
        _url(made.url, is_http_allowed=made.is_http_allowed),
        _event_types(made.event_types),
        tx.now_ms,
        None,
    )
    tx.db.execute(
        "webhook_insert",
        profile_id=row.profile_id,
        webhook_id=row.webhook_id,
        url=row.url,
        event_types=row.event_types,
        created_at_ms=row.created_at_ms,
    )
    _changed(tx, "create", row)
    return WebhookBegun(**msgspec.structs.asdict(_data(row)), is_new=True)


def change_webhook(tx: Transaction, change: WebhookChange) -> WebhookData:
    """Change an endpoint, or turn it off or on."""
    row = webhook_row(tx.db, change.webhook_id)
    if change.url is not UNSET:
        row = row._replace(url=_url(change.url, is_http_allowed=change.is_http_allowed))
    if change.event_types is not UNSET:
        row = row._replace(event_types=_event_types(change.event_types))
    if change.is_enabled is not UNSET:
        disabled_at_ms = tx.now_ms if row.disabled_at_ms is None else row.disabled_at_ms
        row = row._replace(disabled_at_ms=None if change.is_enabled else disabled_at_ms)
    tx.db.execute(
        "webhook_update",
        webhook_id=row.webhook_id,
        url=row.url,
        event_types=row.event_types,
        disabled_at_ms=row.disabled_at_ms,
    )
    _changed(tx, "change", row)
    return _data(row)


def delete_webhook(tx: Transaction, end: WebhookEnd) -> Nothing:
    """End an endpoint for good; what waits for it is given up."""
    row = webhook_row(tx.db, end.webhook_id)
    tx.db.execute("webhook_delete", webhook_id=row.webhook_id, at_ms=tx.now_ms)
    _changed(tx, "delete", row)
    return Nothing()


def send_test(tx: Transaction, test: WebhookTest) -> WebhookTested:
    """Have an event sent that means nothing, whichever events the endpoint wants."""
    row = webhook_row(tx.db, test.webhook_id)
    if row.disabled_at_ms is not None:
        raise FareboxError(WEBHOOK_DISABLED)
    data = {"webhook_id": row.webhook_id, "profile_id": row.profile_id or None}
    message_id = send_to(tx.db, row.profile_id, [row.webhook_id], TEST, data, tx.now_ms, tx.entropy)
    return WebhookTested(message_id)


def webhook_row(reader: Reader, webhook_id: str) -> WebhookRow:
    """An endpoint.

    Raises:
        FareboxError: 404, there is none, or it was deleted.
    """
    row = reader.one("webhook_get", WebhookRow, webhook_id=webhook_id)
    if row is None:
        raise FareboxError(NOT_FOUND, what=Phrase("webhook"))
    return row


def read_webhook(reader: Reader, webhook_id: str) -> WebhookData:
    """An endpoint, without its secret."""
    return _data(webhook_row(reader, webhook_id))


def list_webhooks(reader: Reader, at: Turn, profile_id: int | None = None) -> Page[WebhookData]:
    """A page of all endpoints, or of those of a workspace, the oldest first."""
    rows = reader.rows(
        "webhooks_page",
        WebhookRow,
        profile_id=profile_id,
        after_ms=at.after[0],
        after_id=at.after[1],
        count=at.rows,
    )
    found = page(rows, at, lambda row: (row.created_at_ms, row.webhook_id))
    return Page([_data(row) for row in found.data], found.next_cursor)


def _url(url: str, *, is_http_allowed: bool) -> str:
    if not is_endpoint_url(url, is_http_allowed=is_http_allowed):
        plain, tls = Phrase("an http or https URL"), Phrase("an https URL")
        raise fields.refuse(field="url", expected=plain if is_http_allowed else tls)
    return url


def _event_types(event_types: list[str] | None) -> str | None:
    if event_types is None:
        return None
    unknown = set(event_types) - set(EVENT_TYPES)
    if unknown or not event_types:
        expected = Phrase("some of {choices}", choices=", ".join(EVENT_TYPES))
        raise fields.refuse(field="event_types", expected=expected)
    return msgspec.json.encode([t for t in EVENT_TYPES if t in event_types]).decode()


def _changed(tx: Transaction, action: str, row: WebhookRow) -> None:
    tx.change(action, "webhook", row.webhook_id, profile_id=row.profile_id or None)


def _data(row: WebhookRow) -> WebhookData:
    types = None if row.event_types is None else msgspec.json.decode(row.event_types)
    return WebhookData(
        webhook_id=row.webhook_id,
        profile_id=row.profile_id or None,
        url=row.url,
        event_types=types,
        is_enabled=row.disabled_at_ms is None,
        created_at=to_iso_ms(row.created_at_ms),
    )


def _repeated(begun: WebhookBegun) -> WebhookBegun:
    return msgspec.structs.replace(begun, is_new=False)


COMMANDS = (
    Command("webhooks.create", WebhookMake, create_webhook, _repeated),
    Command("webhooks.change", WebhookChange, change_webhook),
    Command("webhooks.delete", WebhookEnd, delete_webhook),
    Command("webhooks.test", WebhookTest, send_test),
)

"""Deliveries: which messages are due, who sends them, and how it went.

A claim is a commit: whoever makes it owns the attempt until the lease is over, and no other
process sends it meanwhile. If the sender dies, the next claim comes after the lease; so a message
is sent at least once, always under the same id. A receiver's "gone" (410) turns its endpoint off.
"""

from __future__ import annotations

from typing import NamedTuple

from farebox.core.instant import MS_PER_DAY, MS_PER_SECOND, to_iso_ms
from farebox.core.webhook import next_attempt_ms
from farebox.engine.transaction import Command, Transaction
from farebox.service.forms.webhook import (
    Claimed,
    DeliveriesClaim,
    DeliveriesClaimed,
    DeliveryData,
    DeliveryFinish,
    DeliveryFinished,
    MessagesForget,
    MessagesForgotten,
)
from farebox.service.pages import KEY_END, Page, Turn, page
from farebox.service.reading import json_list
from farebox.service.webhooks import webhook_row
from farebox.store.contract import Reader

# Longer than an attempt can take, in all.
LEASE_MS = 60 * MS_PER_SECOND
# Of one endpoint at a time, so that a slow one delays no other.
PER_WEBHOOK_MAX = 4
KEPT_MS = 30 * MS_PER_DAY
FORGET_AT_ONCE = 500
ERROR_LENGTH_MAX = 200
STATUS_GONE = 410
ENDED = "the webhook was turned off"


class _Due(NamedTuple):
    webhook_id: str
    url: str
    is_ended: int


class _Row(NamedTuple):
    profile_id: int
    message_id: str
    attempts: int
    payload: str


class _Listed(NamedTuple):
    message_id: str
    profile_id: int
    event_type: str
    at_ms: int
    attempts: int
    next_attempt_at_ms: int | None
    last_attempt_at_ms: int | None
    last_status: int | None
    last_duration_ms: int | None
    last_error: str | None
    delivered_at_ms: int | None
    gave_up_at_ms: int | None


class _Old(NamedTuple):
    profile_id: int
    message_id: str


def next_due_ms(reader: Reader) -> int | None:
    """When something is to be sent next; None when nothing waits."""
    found = reader.value("deliveries_next")
    return found if isinstance(found, int) else None


def oldest_ms(reader: Reader) -> int | None:
    """When the oldest message was made that is kept."""
    found = reader.value("webhook_messages_oldest")
    return found if isinstance(found, int) else None


def claim(tx: Transaction, wanted: DeliveriesClaim) -> DeliveriesClaimed:
    """Take what is due, as much as is wanted; what is due for an ended endpoint is given up."""
    claimed: list[Claimed] = []
    gave_up = 0
    busy = json_list(wanted.busy)
    due = tx.db.rows("webhooks_due", _Due, busy=busy, now_ms=tx.now_ms, count=wanted.count)
    for endpoint in due:
        count = min(PER_WEBHOOK_MAX, wanted.count - len(claimed))
        rows = tx.db.rows(
            "deliveries_due",
            _Row,
            webhook_id=endpoint.webhook_id,
            now_ms=tx.now_ms,
            count=FORGET_AT_ONCE if endpoint.is_ended else count,
        )
        for row in rows:
            if endpoint.is_ended:
                gave_up += tx.db.execute(
                    "delivery_give_up",
                    profile_id=row.profile_id,
                    message_id=row.message_id,
                    webhook_id=endpoint.webhook_id,
                    now_ms=tx.now_ms,
                    error=ENDED,
                )
            else:
                claimed.append(_claimed(tx, endpoint, row))
    return DeliveriesClaimed(claimed, gave_up)


def finish(tx: Transaction, ended: DeliveryFinish) -> DeliveryFinished:
    """Keep how an attempt went, and say what becomes of the message."""
    if not ended.error:
        tx.db.execute(
            "delivery_delivered",
            profile_id=ended.profile_id,
            message_id=ended.message_id,
            webhook_id=ended.webhook_id,
            now_ms=tx.now_ms,
            status=ended.status,
            duration_ms=ended.duration_ms,
        )
        return DeliveryFinished("delivered")
    is_gone = ended.status == STATUS_GONE
    next_ms = next_attempt_ms(ended.attempt, tx.now_ms, tx.entropy.random_below)
    if is_gone:
        next_ms = None
        if tx.db.execute("webhook_disable", webhook_id=ended.webhook_id, at_ms=tx.now_ms):
            tx.change("gone", "webhook", ended.webhook_id)
    tx.db.execute(
        "delivery_failed",
        profile_id=ended.profile_id,
        message_id=ended.message_id,
        webhook_id=ended.webhook_id,
        attempts=ended.attempt,
        next_attempt_at_ms=next_ms,
        gave_up_at_ms=tx.now_ms if next_ms is None else None,
        status=ended.status,
        duration_ms=ended.duration_ms,
        error=ended.error[:ERROR_LENGTH_MAX],
    )
    return DeliveryFinished("gave_up" if next_ms is None else "retried")


def forget(tx: Transaction, old: MessagesForget) -> MessagesForgotten:
    """Some messages at a time, so that no one waits long for the recorder."""
    rows = tx.db.rows("webhook_messages_old", _Old, before_ms=old.before_ms, count=FORGET_AT_ONCE)
    tx.db.execute_many("deliveries_forget", rows)
    tx.db.execute_many("webhook_messages_forget", rows)
    return MessagesForgotten(len(rows))


def list_deliveries(reader: Reader, webhook_id: str, at: Turn) -> Page[DeliveryData]:
    """A page of what was sent, or is to be sent, to an endpoint, the newest first."""
    webhook_row(reader, webhook_id)
    before_ms, before_id = at.after if at.after[0] else (KEY_END - 1, "")
    rows = reader.rows(
        "deliveries_page",
        _Listed,
        webhook_id=webhook_id,
        before_ms=before_ms,
        before_id=before_id,
        count=at.rows,
    )
    found = page(rows, at, lambda row: (row.at_ms, row.message_id))
    return Page([_data(row) for row in found.data], found.next_cursor)


def _claimed(tx: Transaction, endpoint: _Due, row: _Row) -> Claimed:
    tx.db.execute(
        "delivery_claim",
        profile_id=row.profile_id,
        message_id=row.message_id,
        webhook_id=endpoint.webhook_id,
        now_ms=tx.now_ms,
        until_ms=tx.now_ms + LEASE_MS,
    )
    return Claimed(
        row.profile_id,
        row.message_id,
        endpoint.webhook_id,
        row.attempts + 1,
        endpoint.url,
        row.payload,
    )


def _data(row: _Listed) -> DeliveryData:
    return DeliveryData(
        message_id=row.message_id,
        event_type=row.event_type,
        profile_id=row.profile_id or None,
        created_at=to_iso_ms(row.at_ms),
        attempts=row.attempts,
        last_attempt_at=_stamp(row.last_attempt_at_ms),
        last_status=row.last_status,
        last_duration_ms=row.last_duration_ms,
        last_error=row.last_error,
        next_attempt_at=_stamp(row.next_attempt_at_ms),
        delivered_at=_stamp(row.delivered_at_ms),
        gave_up_at=_stamp(row.gave_up_at_ms),
    )


def _stamp(at_ms: int | None) -> str | None:
    return None if at_ms is None else to_iso_ms(at_ms)


COMMANDS = (
    Command("deliveries.claim", DeliveriesClaim, claim),
    Command("deliveries.finish", DeliveryFinish, finish),
    Command("messages.forget", MessagesForget, forget),
)

"""The outbox: events that are to be told, written in the transaction of what caused them.

So an event is told if, and only if, what it tells of was committed. Sending comes later, by
whoever claims a delivery. A message is kept as the very text that is sent and signed, without any
secret; where no endpoint wants it, nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

import msgspec

from farebox.core.instant import to_iso_ms
from farebox.core.key import mint_id
from farebox.engine.entropy import Entropy
from farebox.store.contract import Writer

# The workspace of what belongs to none: the provider's own endpoints, and tests of them.
NO_WORKSPACE = 0
MESSAGE_PREFIX = "msg_"

Value = str | int | Decimal | bool | None
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class _Endpoint(NamedTuple):
    webhook_id: str


def emit(
    db: Writer,
    profile_id: int,
    event_type: str,
    data: Mapping[str, Value],
    now_ms: int,
    entropy: Entropy,
) -> str | None:
    """Have an event of a workspace sent to every endpoint that wants it, the provider's too.

    The id of the message; None when nobody wants it. Called inside a transaction.
    """
    rows = db.rows("webhooks_wanting", _Endpoint, profile_id=profile_id, event_type=event_type)
    if not rows:
        return None
    endpoints = [row.webhook_id for row in rows]
    return send_to(db, profile_id, endpoints, event_type, data, now_ms, entropy)


def send_to(
    db: Writer,
    profile_id: int,
    webhook_ids: Sequence[str],
    event_type: str,
    data: Mapping[str, Value],
    now_ms: int,
    entropy: Entropy,
) -> str:
    """Have a message sent to certain endpoints; its id."""
    message_id = mint_id(MESSAGE_PREFIX, entropy.random_below)
    payload = {"type": event_type, "timestamp": to_iso_ms(now_ms), "data": data}
    db.execute(
        "webhook_message_insert",
        profile_id=profile_id,
        message_id=message_id,
        event_type=event_type,
        payload=_ENCODER.encode(payload).decode(),
        at_ms=now_ms,
    )
    db.execute_many(
        "delivery_insert",
        [(profile_id, message_id, webhook_id, now_ms, now_ms) for webhook_id in webhook_ids],
    )
    return message_id

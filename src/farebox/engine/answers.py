"""The answers to calls with an Idempotency-Key: the same call again gets the first answer.

They are kept in the transaction of the write itself, without its secrets, for 30 days. A key is its
actor's own. The same key with another call is refused.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from farebox.core.errors import IDEMPOTENCY_MISMATCH, FareboxError
from farebox.core.identity import content_digest
from farebox.core.instant import MS_PER_DAY, MS_PER_HOUR
from farebox.engine.messages import Call
from farebox.store.contract import Writer

KEPT_MS = 30 * MS_PER_DAY
# To look for old ones takes a walk over all of them.
FORGETTING_EVERY_MS = MS_PER_HOUR


class _Kept(NamedTuple):
    fingerprint: bytes
    answer: str


class Answers:
    """Those of one database. Called inside the recorder's transactions."""

    def __init__(self, db: Writer) -> None:
        self._db = db
        self._forgot_at_ms = 0

    def first(self, call: Call) -> bytes | None:
        """The answer that this call got before, as msgpack; None when it is new.

        Raises:
            FareboxError: 422, its Idempotency-Key was used with another call.
        """
        if call.idempotency_key is None:
            return None
        kept = self._db.one(
            "idempotency_get",
            _Kept,
            actor=call.actor,
            idempotency_key=call.idempotency_key,
        )
        if kept is None:
            return None
        if kept.fingerprint != _fingerprint(call):
            raise FareboxError(IDEMPOTENCY_MISMATCH)
        return msgspec.msgpack.encode(msgspec.json.decode(kept.answer))

    def keep(self, call: Call, answer: msgspec.Struct, now_ms: int) -> None:
        """Keep the answer to a call that has an Idempotency-Key; it must hold no secret."""
        if call.idempotency_key is None:
            return
        if now_ms - self._forgot_at_ms > FORGETTING_EVERY_MS:
            self._forgot_at_ms = now_ms
            self._db.execute("idempotency_forget", before_ms=now_ms - KEPT_MS)
        self._db.execute(
            "idempotency_insert",
            actor=call.actor,
            idempotency_key=call.idempotency_key,
            fingerprint=_fingerprint(call),
            answer=msgspec.json.encode(answer).decode(),
            at_ms=now_ms,
        )


def _fingerprint(call: Call) -> bytes:
    return content_digest(call.name.encode() + b"\0" + call.arguments)

"""What the handlers of the admin API share: who writes, the page asked for, ids in the path."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

from farebox.api.call import Call
from farebox.contract.admin.common import PageQuery
from farebox.core.errors import NOT_FOUND, UNPROCESSABLE, FareboxError
from farebox.core.phrase import Phrase
from farebox.service.pages import Turn, turn
from farebox.store.contract import Reader

IDEMPOTENCY_HEADER = "idempotency-key"
IDEMPOTENCY_LENGTH_MAX = 255
_PROFILE_ID = re.compile(r"[1-9]\d{0,17}", re.ASCII)

Struct = TypeVar("Struct", bound=msgspec.Struct)
Result = TypeVar("Result")


async def write(call: Call, command: str, form: msgspec.Struct, answer: type[Struct]) -> Struct:
    """Run a command for the caller; returns after the commit."""
    return await call.context.link.call(
        command,
        form,
        answer,
        actor=f"token:{call.token.token_id}",
        idempotency_key=_idempotency_key(call),
    )


async def read(call: Call, work: Callable[[Reader], Result]) -> Result:
    """Read on a reader's thread."""
    return await call.context.readers.run(work)


def page_of(call: Call) -> Turn:
    """The page of a list that is asked for."""
    query = call.query(PageQuery)
    return turn(query.cursor, query.limit)


def profile_id_of(call: Call) -> int:
    """The workspace in the path.

    Raises:
        FareboxError: 404, this can't be the id of any.
    """
    text = call.path("profile_id")
    if not _PROFILE_ID.fullmatch(text):
        raise FareboxError(NOT_FOUND, what=Phrase("workspace"))
    return int(text)


def joined(type_: type[Struct], body: msgspec.Struct, **path: str | int) -> Struct:
    """The form of a command: a body, and what stands in the path."""
    return type_(**msgspec.structs.asdict(body), **path)


def _idempotency_key(call: Call) -> str | None:
    key = call.request.headers.get(IDEMPOTENCY_HEADER)
    if key is None or call.request.method == "DELETE":  # ending twice is ending once anyway
        return None
    if not 1 <= len(key) <= IDEMPOTENCY_LENGTH_MAX or not key.isascii() or not key.isprintable():
        raise FareboxError(
            UNPROCESSABLE,
            field="Idempotency-Key",
            expected=Phrase(
                "{least} to {most} printable characters", least=1, most=IDEMPOTENCY_LENGTH_MAX
            ),
        )
    return key

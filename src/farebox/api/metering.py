"""The metering endpoints: rows as JSON, and CloudEvents in all their forms (SPEC 4).

A body is decoded as a whole first, which is fast; only when that fails row by row, so that each
bad row is named and the others are recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec
from starlette.requests import Request

from farebox.api.body import media_type_of, read_body
from farebox.api.call import Answer, Call, Handler
from farebox.api.intake import Item, Outcome
from farebox.contract.decoding import decode, decode_rows
from farebox.contract.metering import (
    BODY_BYTES_MAX,
    CLOUDEVENT,
    CLOUDEVENTS_BATCH,
    ROWS_MAX,
    CloudEvent,
    Conflict,
    RawBatch,
    RecordAnswer,
    Rejected,
    RequestRow,
)
from farebox.contract.texts import Language, error_message
from farebox.contract.wire import JSON
from farebox.core.errors import (
    BATCH_TOO_LARGE,
    EVENTS_REJECTED,
    INVALID_REQUEST,
    WRONG_MEDIA_TYPE,
    FareboxError,
)
from farebox.core.phrase import Phrase

BINARY_PREFIX = "ce-"
EVENT_TYPES = f"{CLOUDEVENT}, {CLOUDEVENTS_BATCH}, {JSON}"
DETAILS_MAX = 100

Row = TypeVar("Row", bound=msgspec.Struct)


async def record_requests(call: Call) -> Answer:
    """`POST /v1/requests`."""
    body = await read_body(call.request, BODY_BYTES_MAX)
    if media_type_of(call.request) not in {"", JSON}:
        raise FareboxError(WRONG_MEDIA_TYPE, expected=JSON)
    rows = decode(body, RawBatch).requests
    _check_count(rows)
    outcome = await call.context.intake.take(decode_rows(rows, RequestRow))
    return RecordAnswer(
        outcome.accepted,
        outcome.duplicates,
        [Conflict(index, request_id) for index, request_id in outcome.conflicts],
        rejected_rows(outcome, call.language),
    )


async def record_events(call: Call) -> Answer:
    """`POST /api/v1/events`: 204 when everything is recorded, else 400 with what was refused."""
    body = await read_body(call.request, BODY_BYTES_MAX)
    items = _events(call.request, body)
    outcome = await call.context.intake.take(items)
    if outcome.rejected:
        rejected = rejected_rows(outcome, call.language)[:DETAILS_MAX]
        raise FareboxError(
            EVENTS_REJECTED,
            rejected=len(outcome.rejected),
            received=len(items),
            details={
                "accepted": outcome.accepted,
                "duplicates": outcome.duplicates,
                "conflicts": len(outcome.conflicts),
                "rejected": msgspec.to_builtins(rejected),
            },
        )
    return None


def rejected_rows(outcome: Outcome, language: Language) -> list[Rejected]:
    """The rows that were refused, in the caller's language."""
    return [
        Rejected(index, error.kind.code, error_message(language, error))
        for index, error in outcome.rejected
    ]


def _events(request: Request, body: bytes) -> Sequence[Item]:
    media_type = media_type_of(request)
    if "ce-specversion" in request.headers:
        return decode_rows([_binary(request, body)], CloudEvent)
    if media_type == CLOUDEVENT:
        return decode_rows([msgspec.Raw(body)], CloudEvent)
    if media_type not in {CLOUDEVENTS_BATCH, JSON}:
        raise FareboxError(WRONG_MEDIA_TYPE, expected=EVENT_TYPES)
    if media_type == JSON and not body.lstrip().startswith(b"["):
        return decode_rows([msgspec.Raw(body)], CloudEvent)
    rows = decode(body, list[msgspec.Raw])
    _check_count(rows)
    return decode_rows(rows, CloudEvent)


def _binary(request: Request, body: bytes) -> msgspec.Raw:
    """The structured form of an event whose attributes are headers and whose data is the body."""
    attributes = {
        name.removeprefix(BINARY_PREFIX): value
        for name, value in request.headers.items()
        if name.startswith(BINARY_PREFIX)
    }
    if body and media_type_of(request) != JSON:
        raise FareboxError(WRONG_MEDIA_TYPE, expected=JSON)
    event: dict[str, object] = dict(attributes)
    if body:
        event["data"] = decode(body, msgspec.Raw)
    if "data" in attributes:
        raise FareboxError(INVALID_REQUEST, reason=Phrase("the data must be the body"))
    return msgspec.Raw(msgspec.json.encode(event))


def _check_count(rows: Sequence[object]) -> None:
    if len(rows) > ROWS_MAX:
        raise FareboxError(BATCH_TOO_LARGE, rows_max=ROWS_MAX)


HANDLERS: dict[str, Handler] = {
    "requests_record": record_requests,
    "events_record": record_events,
}

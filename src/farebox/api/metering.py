"""The metering endpoints: rows as JSON, and CloudEvents in all their forms (SPEC 4).

Each row is decoded by itself, so that a bad one is named and the others are recorded. In binary
mode the attributes of an event are headers, in which all but plain ASCII is encoded as in a URL.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

import msgspec
from starlette.requests import Request

from farebox.api.body import media_type_of, read_body
from farebox.api.call import Answer, Call, Handler
from farebox.api.intake import Item, Outcome
from farebox.contract.decoding import decode, decode_if_right, decode_rows
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
    RequestBatch,
    RequestRow,
)
from farebox.contract.texts import Language, error_message
from farebox.contract.wire import JSON
from farebox.core.errors import (
    BATCH_TOO_LARGE,
    EVENTS_REJECTED,
    INVALID_FIELD,
    INVALID_REQUEST,
    WRONG_MEDIA_TYPE,
    FareboxError,
)
from farebox.core.key import strike_out
from farebox.core.phrase import Phrase

BINARY_PREFIX = "ce-"
STRUCTURED_PREFIX = "application/cloudevents"
EVENT_TYPES = f"{CLOUDEVENT}, {CLOUDEVENTS_BATCH}, {JSON}"

_ESCAPED = re.compile(r"\\(.)")


async def record_requests(call: Call) -> Answer:
    """`POST /v1/requests`."""
    body = await read_body(call.request, BODY_BYTES_MAX)
    if media_type_of(call.request) not in {"", JSON}:
        raise FareboxError(WRONG_MEDIA_TYPE, expected=JSON)
    whole = decode_if_right(body, RequestBatch)
    outcome = await _taken(call, _row_by_row(body) if whole is None else whole.requests)
    return RecordAnswer(
        outcome.accepted,
        outcome.duplicates,
        [Conflict(index, request_id) for index, request_id in outcome.conflicts],
        rejected_rows(outcome, call.language),
    )


def _row_by_row(body: bytes) -> Sequence[Item]:
    rows = decode(body, RawBatch).requests
    _check_count(rows)
    return decode_rows(rows, RequestRow)


async def record_events(call: Call) -> Answer:
    """`POST /api/v1/events`: 204 when everything is recorded, else 400 with what was refused."""
    body = await read_body(call.request, BODY_BYTES_MAX)
    items = _events(call.request, body)
    outcome = await _taken(call, items)
    if outcome.rejected:
        rejected = rejected_rows(outcome, call.language)
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


async def _taken(call: Call, items: Sequence[Item]) -> Outcome:
    return await call.context.intake.take(items, call.context.follower.catch_up)


def rejected_rows(outcome: Outcome, language: Language) -> list[Rejected]:
    """The rows that were refused, in the caller's language."""
    return [
        Rejected(index, error.kind.code, strike_out(error_message(language, error)))
        for index, error in outcome.rejected
    ]


def _events(request: Request, body: bytes) -> Sequence[Item]:
    media_type = media_type_of(request)
    is_binary = "ce-specversion" in request.headers and not media_type.startswith(STRUCTURED_PREFIX)
    if is_binary:
        return decode_rows([_binary(request, body)], CloudEvent)
    if media_type not in {CLOUDEVENT, CLOUDEVENTS_BATCH, JSON}:
        raise FareboxError(WRONG_MEDIA_TYPE, expected=EVENT_TYPES)
    is_one = media_type == JSON and not body.lstrip().startswith(b"[")
    if is_one or media_type == CLOUDEVENT:
        return decode_rows([decode(body, msgspec.Raw)], CloudEvent)
    rows = decode(body, list[msgspec.Raw])
    _check_count(rows)
    return decode_rows(rows, CloudEvent)


def _binary(request: Request, body: bytes) -> msgspec.Raw:
    """The structured form of an event whose attributes are headers and whose data is the body."""
    attributes = {
        name.removeprefix(BINARY_PREFIX): _attribute(name, value)
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


def _attribute(name: str, value: str) -> str:
    """The value that a header stands for (CloudEvents HTTP binding, 3.1.3.2)."""
    if len(value) > 1 and value.startswith('"') and value.endswith('"'):
        value = _ESCAPED.sub(r"\1", value[1:-1])
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError as error:
        raise FareboxError(
            INVALID_FIELD, field=name, expected=Phrase("UTF-8, encoded as in a URL")
        ) from error


def _check_count(rows: Sequence[object]) -> None:
    if len(rows) > ROWS_MAX:
        raise FareboxError(BATCH_TOO_LARGE, rows_max=ROWS_MAX)


HANDLERS: dict[str, Handler] = {
    "requests_record": record_requests,
    "events_record": record_events,
}

"""Bodies: read within bounds, of the right media type, decoded to the operation's struct.

Vendor clients send `POST` with `Content-Type: application/json` and no body, or `GET` with that
header: an empty body is `{}`. A body that isn't JSON, isn't what it says it is or is too large is
refused before any of it has an effect.
"""

from __future__ import annotations

import msgspec
from starlette.requests import Request

from farebox.contract.decoding import convert, decode
from farebox.contract.operation import Operation
from farebox.contract.wire import JSON
from farebox.core.errors import BODY_TOO_LARGE, INVALID_FIELD, WRONG_MEDIA_TYPE, FareboxError

BODY_BYTES_MAX = 1024 * 1024
_EMPTY = b"{}"


async def read_body(request: Request, bytes_max: int = BODY_BYTES_MAX) -> bytes:
    """All of the body.

    Raises:
        FareboxError: 413, it is larger than `bytes_max`.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > bytes_max:
        raise FareboxError(BODY_TOO_LARGE, bytes_max=bytes_max)
    chunks = []
    size_bytes = 0
    async for chunk in request.stream():
        size_bytes += len(chunk)
        if size_bytes > bytes_max:
            raise FareboxError(BODY_TOO_LARGE, bytes_max=bytes_max)
        chunks.append(chunk)
    return b"".join(chunks)


def media_type_of(request: Request) -> str:
    """The media type of the body in lower case, without parameters; empty when none is told."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def decode_body(operation: Operation, request: Request, body: bytes) -> msgspec.Struct:
    """The struct of a JSON body.

    Raises:
        FareboxError: 400 naming the field and what would be right, 415, or 422 for a field that
            the operation doesn't know.
    """
    assert operation.request is not None
    if not body:
        return decode(_EMPTY, operation.request)
    if media_type_of(request) not in {JSON, ""}:
        raise FareboxError(WRONG_MEDIA_TYPE, expected=JSON)
    return decode(body, operation.request)


def decode_query(operation: Operation, request: Request) -> msgspec.Struct | None:
    """The struct of the query string; None when the operation has none.

    Raises:
        FareboxError: as `decode_body`.
    """
    if operation.query is None:
        return None
    values: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in values:
            raise FareboxError(INVALID_FIELD, field=name, expected=ONCE_EXPECTED)
        values[name] = value
    return convert(values, operation.query)


ONCE_EXPECTED = "given once"

"""The errors of an OpenAPI document: one response for each shape and status that is used."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from farebox.contract.errors import ERROR_STRUCTS, error_answer
from farebox.contract.operation import ErrorFamily, Operation, error_shape
from farebox.contract.schema import schemas_of
from farebox.contract.texts import Language, translate
from farebox.contract.wire import JSON
from farebox.core.errors import CATALOGUE, FareboxError
from farebox.core.phrase import Phrase

RETRY_AFTER_TEXT = "After how many seconds to try again."
# What each status means, whatever the operation.
STATUS_TEXTS: dict[int, str] = {
    200: "The call succeeded.",
    201: "It was created.",
    204: "The call succeeded; there is no body.",
    307: "The address to go to is in `Location`.",
    400: "The request is malformed or holds an invalid value; the message says which.",
    401: "There is no valid API key or token.",
    402: "The workspace has not enough credits left.",
    403: "The call is not permitted.",
    404: "There is no such thing.",
    405: "The address does not answer this method; `Allow` says which it answers.",
    408: "The body came too slowly.",
    409: "The call is in conflict with what is there.",
    413: "The body is too large.",
    415: "The body has another media type than the call takes.",
    422: "The request is well-formed, and refused; the message says why.",
    429: "Too many requests were made; `Retry-After` says when to try again.",
    500: "Something unexpected went wrong on the server.",
    503: "The server can't answer now; `Retry-After` says when to try again.",
}
# Component names: those of the seeds where they have one.
_ERROR_NAMES = {400: "general_error", 429: "rate_limit_error", 500: "server_error"}
_RETRY_STATUSES = (429, 503)
# Fillings for the messages of examples.
SAMPLE_PARAMS: dict[str, Any] = {
    "allowed": "POST",
    "bytes_max": 16 * 1024 * 1024,
    "days_back": 35,
    "days_max": 400,
    "expected": Phrase("a string"),
    "field": "start_date",
    "header": "x-api-key",
    "held": "2.5",
    "licences": 5,
    "limit": "minute",
    "method": "PUT",
    "minutes_ahead": 5,
    "reason": Phrase("it ends too early"),
    "received": 100,
    "rejected": 1,
    "rows_max": 10_000,
    "scope": "meter",
    "setting": "FAREBOX_ADMIN_TOKEN",
    "slug": "people_search",
    "what": Phrase("request"),
}


def error_name(family: ErrorFamily, status: int) -> str:
    """The name of a response's component."""
    if family == "quotas":
        return f"quotas_error_{status}"
    return _ERROR_NAMES.get(status, f"error_{status}")


def error_responses(operations: Iterable[Operation], language: Language) -> dict[str, Any]:
    """The responses of all errors that some operations may answer, by component name."""
    kinds: dict[tuple[ErrorFamily, int], set[int]] = {}
    for operation in operations:
        for kind in operation.errors:
            kinds.setdefault((operation.error_family, kind.status), set()).add(kind.code)
    responses: dict[str, Any] = {}
    for (family, status), codes in sorted(kinds.items()):
        (schema,), _ = schemas_of((ERROR_STRUCTS[error_shape(family, status)],), language)
        example = error_example(family, min(codes), language)
        response: dict[str, Any] = {
            "description": translate(language, STATUS_TEXTS[status]),
            "content": {JSON: {"schema": schema, "example": example}},
        }
        if status in _RETRY_STATUSES:
            text = translate(language, RETRY_AFTER_TEXT)
            response["headers"] = {
                "Retry-After": {"description": text, "schema": {"type": "integer"}}
            }
        responses[error_name(family, status)] = response
    return responses


def error_example(family: ErrorFamily, code: int, language: Language) -> dict[str, Any]:
    """An error's body as an example."""
    kind = CATALOGUE[code]
    params = {name: SAMPLE_PARAMS[name] for name in kind.parameters}
    answer = error_answer(family, FareboxError(kind, **params), language)
    body: dict[str, Any] = msgspec.to_builtins(answer)
    return body

"""Which kinds of error the operations of an audience may answer.

An operation names its own kinds beside these; a status that isn't among them is a fault.
"""

from __future__ import annotations

from farebox.core import errors
from farebox.core.errors import ErrorKind

COMMON: tuple[ErrorKind, ...] = (
    errors.WRONG_METHOD,
    errors.INTERNAL,
    errors.STORE_UNAVAILABLE,
    errors.TOO_MANY_CONNECTIONS,
)

BODY: tuple[ErrorKind, ...] = (
    errors.INVALID_REQUEST,
    errors.INVALID_JSON,
    errors.MISSING_FIELD,
    errors.INVALID_FIELD,
    errors.BODY_TOO_SLOW,
    errors.BODY_TOO_LARGE,
    errors.WRONG_MEDIA_TYPE,
)

CUSTOMER: tuple[ErrorKind, ...] = (
    *BODY,
    errors.FOREIGN_PROFILE,
    errors.KEY_IN_URL,
    errors.MISSING_KEY,
    errors.INVALID_KEY,
    errors.SUSPENDED,
    errors.RATE_LIMITED,
    errors.QUEUE_FULL,
    *COMMON,
)

METERING: tuple[ErrorKind, ...] = (
    *BODY,
    errors.KEY_IN_URL,
    errors.INVALID_TOKEN,
    errors.WRONG_SCOPE,
    errors.BATCH_TOO_LARGE,
    errors.UNKNOWN_FIELD,
    errors.QUEUE_FULL,
    *COMMON,
)

# For what a gateway asks about one request.
GATE: tuple[ErrorKind, ...] = tuple(kind for kind in METERING if kind is not errors.BATCH_TOO_LARGE)

# For a read of the admin API; a write adds `BODY`, `ADMIN_WRITE` and its own.
ADMIN: tuple[ErrorKind, ...] = (
    errors.INVALID_REQUEST,
    errors.INVALID_FIELD,
    errors.KEY_IN_URL,
    errors.INVALID_TOKEN,
    errors.WRONG_SCOPE,
    errors.NOT_FOUND,
    errors.UNKNOWN_FIELD,
    *COMMON,
)

ADMIN_WRITE: tuple[ErrorKind, ...] = (
    errors.UNPROCESSABLE,
    errors.IN_FLIGHT,
    errors.IDEMPOTENCY_MISMATCH,
    errors.QUEUE_FULL,
)

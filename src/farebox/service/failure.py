"""Failures: what a caller may be told of any exception, and what the log is told of it.

Faults of ours go to the log with their internal voice and a reference, which the answer carries
too, so that the two can be put together.
"""

from __future__ import annotations

import logging

from farebox.core.errors import INTERNAL, FareboxError
from farebox.engine.entropy import Entropy
from farebox.engine.link import unavailable
from farebox.store.contract import QueryTimeoutError, StoreFaultError

RETRY_AFTER_SECONDS = 1
_FAULT_STATUS = 500
_RETRIED = (429, 503)


def as_farebox_error(error: Exception) -> FareboxError:
    """What a caller may be told of an exception."""
    match error:
        case FareboxError():
            return error
        case StoreFaultError() | QueryTimeoutError():
            return unavailable(f"{type(error).__name__}: {error}")
        case _:
            return FareboxError(INTERNAL, internal=f"{type(error).__name__}: {error}")


def retry_after_seconds(error: FareboxError) -> int | None:
    """When to try again; None for an error that is no matter of time."""
    if error.kind.status not in _RETRIED:
        return None
    return error.retry_after_seconds or RETRY_AFTER_SECONDS


def report(
    log: logging.Logger, exception: Exception, error: FareboxError, entropy: Entropy
) -> str | None:
    """Log a fault of ours; its reference. None for what is the caller's."""
    if error.kind.status < _FAULT_STATUS:
        return None
    reference = entropy.random_bytes(6).hex()
    told = {"error_ref": reference, "code": error.kind.code, "internal": error.internal}
    if error.kind is INTERNAL:
        log.error("a call failed", extra=told, exc_info=exception)
    else:
        log.warning("a call was put off", extra=told)
    return reference

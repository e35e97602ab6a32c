"""Error answers: any exception becomes the contract's shape, in the reader's language.

What a caller is told is the public voice only. Faults of ours go to the log with their internal
voice and a reference, which the answer carries too, so that the two can be put together. What looks
like a secret of ours never leaves, whatever it came in with.
"""

from __future__ import annotations

import logging

from starlette.responses import Response

from farebox.contract.errors import error_answer
from farebox.contract.operation import ErrorFamily
from farebox.contract.texts import LANGUAGE_TAGS, Language
from farebox.contract.wire import ENCODER, JSON
from farebox.core.errors import INTERNAL, STORE_UNAVAILABLE, WRONG_METHOD, FareboxError
from farebox.core.key import strike_out
from farebox.engine.entropy import Entropy
from farebox.engine.link import unavailable
from farebox.store.contract import QueryTimeoutError, StoreFaultError

REFERENCE_HEADER = "Farebox-Error-Ref"
RETRY_AFTER_SECONDS = 1
_RETRIED = (429, 503)
_FAULT_STATUS = 500
_UNAUTHENTICATED_STATUS = 401
log = logging.getLogger("farebox.api")


def as_farebox_error(error: Exception) -> FareboxError:
    """What a caller may be told of an exception."""
    match error:
        case FareboxError():
            return error
        case StoreFaultError() | QueryTimeoutError():
            return unavailable(f"{type(error).__name__}: {error}")
        case _:
            return FareboxError(INTERNAL, internal=f"{type(error).__name__}: {error}")


def error_response(
    exception: Exception, family: ErrorFamily, language: Language, entropy: Entropy
) -> Response:
    """The answer to an exception; faults are logged."""
    error = as_farebox_error(exception)
    status = error.kind.status
    body = strike_out(ENCODER.encode(error_answer(family, error, language)).decode())
    headers = {
        "Cache-Control": "no-store",
        "Content-Language": LANGUAGE_TAGS[language],
        "Vary": "Accept-Language",
    }
    if status in _RETRIED:
        headers["Retry-After"] = str(error.retry_after_seconds or RETRY_AFTER_SECONDS)
    if error.kind is WRONG_METHOD:
        headers["Allow"] = str(error.params["allowed"])
    if status == _UNAUTHENTICATED_STATUS:
        headers["WWW-Authenticate"] = "Bearer"
    if status >= _FAULT_STATUS:
        headers[REFERENCE_HEADER] = _report(exception, error, entropy)
    return Response(body, status, headers, JSON)


def is_store_failure(response: Response) -> bool:
    """Whether an answer says that the store or the recorder failed."""
    return response.status_code == STORE_UNAVAILABLE.status


def _report(exception: Exception, error: FareboxError, entropy: Entropy) -> str:
    reference = entropy.random_bytes(6).hex()
    told = {"error_ref": reference, "code": error.kind.code, "internal": error.internal}
    if error.kind is INTERNAL:
        log.error("a call failed", extra=told, exc_info=exception)
    else:
        log.warning("a call was put off", extra=told)
    return reference

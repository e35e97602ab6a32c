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
from farebox.core.errors import STORE_UNAVAILABLE, WRONG_METHOD
from farebox.core.key import strike_out
from farebox.engine.entropy import Entropy
from farebox.service.failure import as_farebox_error, report, retry_after_seconds

REFERENCE_HEADER = "Farebox-Error-Ref"
_UNAUTHENTICATED_STATUS = 401
log = logging.getLogger("farebox.api")


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
    seconds = retry_after_seconds(error)
    if seconds is not None:
        headers["Retry-After"] = str(seconds)
    if error.kind is WRONG_METHOD:
        headers["Allow"] = str(error.params["allowed"])
    if status == _UNAUTHENTICATED_STATUS:
        headers["WWW-Authenticate"] = "Bearer"
    reference = report(log, exception, error, entropy)
    if reference is not None:
        headers[REFERENCE_HEADER] = reference
    return Response(body, status, headers, JSON)


def is_store_failure(response: Response) -> bool:
    """Whether an answer says that the store or the recorder failed."""
    return response.status_code == STORE_UNAVAILABLE.status

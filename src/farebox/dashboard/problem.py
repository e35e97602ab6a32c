"""Problems: whatever goes wrong, told on a page in the reader's language, with what to do next.

What a reader is told is the public voice only.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from starlette.responses import Response

from farebox.contract.texts import error_message
from farebox.core.errors import IDEMPOTENCY_MISMATCH, IN_FLIGHT, FareboxError
from farebox.dashboard.visit import UNAVAILABLE, Visit
from farebox.service.failure import as_farebox_error, report, retry_after_seconds

# What the form's reader can put right, and what passes: the form comes back as it was sent.
_FORM_STATUSES = frozenset({400, 409, 422, UNAVAILABLE})
_SENT_TEXT = "This form was sent before. See what it did, then send it once more if need be."
_SENDING_TEXT = "This form is being carried out already. Wait a moment, then see what it did."
log = logging.getLogger("farebox.dashboard")


def problem_page(
    visit: Visit, exception: Exception, sent: Sequence[tuple[str, str]] = ()
) -> Response:
    """The page that tells of an exception; faults are logged. It offers to send a form again."""
    error = as_farebox_error(exception)
    response = visit.page(
        "problem.html",
        status=error.kind.status,
        message=error_message(visit.language, error),
        sent=sent,
        reference=report(log, exception, error, visit.desk.entropy),
    )
    seconds = retry_after_seconds(error)
    if seconds is not None:
        response.headers["Retry-After"] = str(seconds)
    return response


def blame(visit: Visit, error: FareboxError) -> int:
    """Note in the form what is wrong with it; the status of the page that shows it again.

    Raises:
        FareboxError: the same, where the form is not to blame.
    """
    if error.kind.status not in _FORM_STATUSES:
        raise error
    report(log, error, error, visit.desk.entropy)
    if error.kind is IDEMPOTENCY_MISMATCH:
        visit.form.problem = visit.text(_SENT_TEXT)
    elif error.kind is IN_FLIGHT:
        visit.form.problem = visit.text(_SENDING_TEXT)
    else:
        visit.form.blame(error, visit.language)
    return error.kind.status

"""Problems: whatever goes wrong, told on a page in the reader's language, with what to do next.

What a reader is told is the public voice only.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from starlette.responses import Response

from farebox.contract.texts import error_message
from farebox.dashboard.visit import Visit
from farebox.service.failure import as_farebox_error, report, retry_after_seconds

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

"""Refused: the HTTP answer to a call that the gate has refused, which tells its limits."""

from __future__ import annotations

from starlette.responses import Response

from farebox.api.context import Context
from farebox.api.errors import error_response
from farebox.contract.rate_headers import RETRY_AFTER, rate_headers, retry_after_seconds
from farebox.contract.texts import Language
from farebox.core.errors import FareboxError
from farebox.service.admit import Refused


def refused_error(refused: Refused, now_ms: int) -> FareboxError:
    """Why it was refused, and after how long another try is worth it."""
    kind, denied_by = refused.denial
    at_ms = refused.retry_at_ms
    seconds = None if at_ms is None else retry_after_seconds(at_ms, now_ms)
    return FareboxError(kind, retry_after_seconds=seconds, limit=denied_by)


def refused_response(
    context: Context, refused: Refused, language: Language, now_ms: int
) -> Response:
    """The answer to what is refused, which tells the limits that were looked at."""
    error = refused_error(refused, now_ms)
    response = error_response(error, "general", language, context.entropy)
    told = rate_headers(refused.limits, now_ms, is_legacy=context.is_legacy_rate_headers)
    for name, value in told:
        response.headers[name] = value
    if error.retry_after_seconds is not None:
        response.headers[RETRY_AFTER] = str(error.retry_after_seconds)
    return response

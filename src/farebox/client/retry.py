"""When a call is sent again: exponential back-off with full jitter, within bounds.

What the server asks for with `Retry-After` is waited in full, and the jitter comes on top, so that
callers that were sent away together don't come back together. A wait that would end beyond the
bound on the whole is not begun.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from farebox.core.instant import MS_PER_SECOND

_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)
_DOUBLINGS_MAX = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how long a call is tried.

    Attributes:
        attempts_max: how many times it is sent at most; 1 is never again.
        total_seconds_max: no attempt begins, and no wait ends, later than this after the start.
        attempt_seconds_max: how long one attempt may wait for the network.
        base_seconds: the first wait is up to this, each further one up to twice the one before.
        wait_seconds_max: no wait of the client's own is longer than this.
    """

    attempts_max: int = 5
    total_seconds_max: float = 30.0
    attempt_seconds_max: float = 10.0
    base_seconds: float = 0.1
    wait_seconds_max: float = 5.0

    def __post_init__(self) -> None:
        """Refuse bounds that bound nothing."""
        if self.attempts_max < 1:
            message = "attempts_max must be 1 or more"
            raise ValueError(message)
        for name in ("total_seconds_max", "attempt_seconds_max"):
            if not 0 < getattr(self, name) < float("inf"):
                message = f"{name} must be a finite number above 0"
                raise ValueError(message)
        for name in ("base_seconds", "wait_seconds_max"):
            if not 0 <= getattr(self, name) < float("inf"):
                message = f"{name} must be a finite number, 0 or more"
                raise ValueError(message)

    def pause_seconds(self, attempts: int, retry_after: float | None, fraction: float) -> float:
        """How long to wait after so many attempts; `fraction` is drawn from 0 up to 1."""
        doublings = min(attempts - 1, _DOUBLINGS_MAX)
        ceiling = min(self.wait_seconds_max, self.base_seconds * (1 << doublings))
        return (retry_after or 0.0) + ceiling * fraction


# Somebody waits for the gate: it is asked again quickly, and not for long.
GATE_RETRY = RetryPolicy(
    attempts_max=3,
    total_seconds_max=3.0,
    attempt_seconds_max=2.0,
    base_seconds=0.05,
    wait_seconds_max=0.5,
)


def retry_after_seconds(headers: httpx.Headers, now_ms: int) -> float | None:
    """The wait that an answer asks for, in seconds or as an HTTP date; None when it asks for none.

    A date is compared with the answer's own `Date`, so that the two clocks need not agree.
    """
    text = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    until_ms = _date_ms(text)
    if until_ms is None:
        return None
    told_ms = _date_ms(headers.get("Date", ""))
    return max(0.0, (until_ms - (now_ms if told_ms is None else told_ms)) / MS_PER_SECOND)


def _date_ms(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:  # "-0000" stands for UTC of unknown origin
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * MS_PER_SECOND

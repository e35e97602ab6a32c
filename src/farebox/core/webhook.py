"""Webhooks: which events there are, what an endpoint's URL may be, and when to try again.

A message is sent until the endpoint has taken it (2xx), at least once, for about a day; its id
stays the same, so that a receiver can tell a repeat.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from farebox.core.instant import MS_PER_HOUR, MS_PER_MINUTE, MS_PER_SECOND

ALERT_FIRED = "alert.fired"
AUTO_TOP_UP = "credits.auto_top_up"
TEST = "webhook.test"
EVENT_TYPES = (ALERT_FIRED, AUTO_TOP_UP, TEST)

# How long to wait after the first attempt, the second, and so on; after the last it is given up.
RETRY_AFTER_MS = (
    5 * MS_PER_SECOND,
    30 * MS_PER_SECOND,
    2 * MS_PER_MINUTE,
    10 * MS_PER_MINUTE,
    MS_PER_HOUR,
    3 * MS_PER_HOUR,
    8 * MS_PER_HOUR,
    12 * MS_PER_HOUR,
)
ATTEMPTS_MAX = len(RETRY_AFTER_MS) + 1
# A wait is longer by up to a fifth, so that what failed together doesn't come back together.
JITTER_DIVISOR = 5

URL_LENGTH_MAX = 2_000
_HOST = r"([A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]{2,45}\])"
# Strict, so that no two programs can read two hosts in one URL: no user, blank or backslash.
_URL = re.compile(rf"(https?)://{_HOST}(:\d{{1,5}})?([/?][!$-;=?-Z_a-z~%&]*)?", re.ASCII)


def next_attempt_ms(attempts: int, now_ms: int, random_below: Callable[[int], int]) -> int | None:
    """When to try again after so many attempts have failed; None to give up."""
    assert attempts > 0
    if attempts >= ATTEMPTS_MAX:
        return None
    wait_ms = RETRY_AFTER_MS[attempts - 1]
    return now_ms + wait_ms + random_below(wait_ms // JITTER_DIVISOR)


def is_endpoint_url(url: str, *, is_http_allowed: bool) -> bool:
    """Whether messages can be sent to a URL at all; its host is looked at when they are."""
    if len(url) > URL_LENGTH_MAX:
        return False
    parts = _URL.fullmatch(url)
    return parts is not None and (parts[1] == "https" or is_http_allowed)

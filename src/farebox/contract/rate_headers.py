"""Rate headers: what an answer tells of the limits that apply to its request.

`RateLimit-Policy` and `RateLimit` as in draft-ietf-httpapi-ratelimit-headers-11 (May 2026): lists
of Structured Fields, one member a window, named as the limit. `q` and `r` are requests, `t` is
whole seconds until the window ends, rounded up. `w` is a window's length where that is the same all
year but for a change of the clocks; months have none. Credits are no requests and no unit of the
draft, so they have a header of their own. The older `X-RateLimit-*` tell of one limit: the one that
has the least left, and of those that ends last.
"""

from __future__ import annotations

from functools import lru_cache

from farebox.core.admission import LimitName, LimitState
from farebox.core.credits import to_text
from farebox.core.instant import MS_PER_SECOND

RATE_LIMIT_POLICY = "RateLimit-Policy"
RATE_LIMIT = "RateLimit"
CREDITS_LEFT = "Farebox-Credits-Left"
RETRY_AFTER = "Retry-After"
LEGACY_LIMIT = "X-RateLimit-Limit"
LEGACY_REMAINING = "X-RateLimit-Remaining"
LEGACY_RESET = "X-RateLimit-Reset"

_WINDOW_SECONDS: dict[LimitName, int] = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_CREDITS: tuple[LimitName, ...] = ("key_credits", "credits")
# The largest integer of a Structured Field.
_INTEGER_MAX = 10**15 - 1

Headers = list[tuple[str, str]]


def rate_headers(limits: tuple[LimitState, ...], now_ms: int, *, is_legacy: bool) -> Headers:
    """The headers of an answer, whether its request was admitted or refused.

    Args:
        limits: every limit that applies, as it is after the request.
        now_ms: the instant of the decision.
        is_legacy: whether `X-RateLimit-*` are told as well.
    """
    headers: Headers = []
    windows = [state for state in limits if state.name not in _CREDITS and state.limit is not None]
    if windows:
        headers.append((RATE_LIMIT_POLICY, _policy(tuple((s.name, s.limit) for s in windows))))
        headers.append((RATE_LIMIT, ", ".join(_item(state, now_ms) for state in windows)))
        if is_legacy:
            headers += _legacy(windows, now_ms)
    balances = [state.remaining for state in limits if state.name in _CREDITS]
    if balances:
        headers.append((CREDITS_LEFT, to_text(max(0, min(balances)))))
    return headers


def retry_after_seconds(reset_ms: int, now_ms: int) -> int:
    """After how many whole seconds to try again: not before the window ends, and at least 1."""
    return max(1, _seconds_until(reset_ms, now_ms))


@lru_cache(maxsize=1024)
def _policy(windows: tuple[tuple[LimitName, int | None], ...]) -> str:
    return ", ".join(
        f'"{name}";q={min(limit or 0, _INTEGER_MAX)}'
        + (f";w={_WINDOW_SECONDS[name]}" if name in _WINDOW_SECONDS else "")
        for name, limit in windows
    )


def _item(state: LimitState, now_ms: int) -> str:
    remaining = min(max(0, state.remaining), _INTEGER_MAX)
    if state.reset_ms is None:
        return f'"{state.name}";r={remaining}'
    return f'"{state.name}";r={remaining};t={_seconds_until(state.reset_ms, now_ms)}'


def _legacy(windows: list[LimitState], now_ms: int) -> Headers:
    nearest = min(windows, key=lambda state: (state.remaining, -(state.reset_ms or 0)))
    reset = [] if nearest.reset_ms is None else [_seconds_until(nearest.reset_ms, now_ms)]
    return [
        (LEGACY_LIMIT, str(nearest.limit)),
        (LEGACY_REMAINING, str(max(0, nearest.remaining))),
        *((LEGACY_RESET, str(seconds)) for seconds in reset),
    ]


def _seconds_until(instant_ms: int, now_ms: int) -> int:
    return max(0, -((now_ms - instant_ms) // MS_PER_SECOND))

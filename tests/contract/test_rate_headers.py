"""Rate headers: what they tell is what a parser of Structured Fields reads, and never too soon."""

from __future__ import annotations

from typing import cast

import http_sf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.contract.rate_headers import (
    CREDITS_LEFT,
    LEGACY_LIMIT,
    LEGACY_REMAINING,
    LEGACY_RESET,
    RATE_LIMIT,
    RATE_LIMIT_POLICY,
    rate_headers,
    retry_after_seconds,
)
from farebox.core.admission import WINDOW_NAMES, LimitState, WindowName

NOW_MS = 1_778_000_000_000
SECOND = LimitState("second", 5, 4, NOW_MS + 1)
MINUTE = LimitState("minute", 60, 59, NOW_MS + 17_001)
HOUR = LimitState("hour", 1_000, 3, NOW_MS + 600_000)
DAY = LimitState("day", 10_000, 3, NOW_MS + 86_400_000)
MONTH = LimitState("month", 100_000, 99_999, NOW_MS + 2_000_000_000)
CREDITS = LimitState("credits", None, 1_247_500_000, None)
KEY_CREDITS = LimitState("key_credits", 5_000_000, 2_000_001, NOW_MS + 2_000_000_000)

counts = st.integers(0, 10**17)
windows = st.lists(st.sampled_from(WINDOW_NAMES), unique=True).flatmap(
    lambda names: st.tuples(
        *(
            st.builds(
                LimitState,
                st.just(name),
                counts,
                counts,
                st.integers(NOW_MS - 9, NOW_MS + 3 * 10**9),
            )
            for name in names
        )
    )
)


def told(*limits: LimitState, is_legacy: bool = False) -> dict[str, str]:
    headers = rate_headers(limits, NOW_MS, is_legacy=is_legacy)
    assert len(dict(headers)) == len(headers)
    return dict(headers)


def members(value: str) -> dict[str, dict[str, object]]:
    """The members of a list of Structured Fields: its strings with their parameters."""
    parsed = http_sf.parse(value.encode("ascii"), tltype="list")
    items = cast("list[tuple[str, dict[str, object]]]", parsed)
    return {name: dict(parameters) for name, parameters in items}


def test_every_window_is_told_in_both_fields() -> None:
    headers = told(SECOND, MINUTE, HOUR, DAY, MONTH, CREDITS)
    assert members(headers[RATE_LIMIT_POLICY]) == {
        "second": {"q": 5, "w": 1},
        "minute": {"q": 60, "w": 60},
        "hour": {"q": 1_000, "w": 3_600},
        "day": {"q": 10_000, "w": 86_400},
        "month": {"q": 100_000},
    }
    assert members(headers[RATE_LIMIT]) == {
        "second": {"r": 4, "t": 1},
        "minute": {"r": 59, "t": 18},
        "hour": {"r": 3, "t": 600},
        "day": {"r": 3, "t": 86_400},
        "month": {"r": 99_999, "t": 2_000_000},
    }


@given(windows)
def test_both_fields_are_lists_of_structured_fields_with_the_same_names(
    limits: tuple[LimitState, ...],
) -> None:
    headers = told(*limits)
    names: list[WindowName] = [state.name for state in limits]  # type: ignore[misc] # windows only
    if not names:
        assert headers == {}
        return
    policies, items = members(headers[RATE_LIMIT_POLICY]), members(headers[RATE_LIMIT])
    assert list(policies) == list(items) == names
    for state in limits:
        assert state.reset_ms is not None
        seconds = items[state.name]["t"]
        assert isinstance(seconds, int)
        # In whole seconds, and never before the window has ended.
        assert seconds >= 0
        assert state.reset_ms - NOW_MS <= seconds * 1_000 < max(1, state.reset_ms - NOW_MS) + 1_000


def test_the_policy_stays_the_same_while_the_limits_are_used_up() -> None:
    later = [state._replace(remaining=0) for state in (MINUTE, MONTH)]
    assert told(MINUTE, MONTH)[RATE_LIMIT_POLICY] == told(*later)[RATE_LIMIT_POLICY]


def test_credits_are_no_requests_and_have_a_header_of_their_own() -> None:
    assert told(CREDITS) == {CREDITS_LEFT: "1247.5"}
    assert "credits" not in told(MINUTE, CREDITS)[RATE_LIMIT]


def test_the_cap_of_the_key_bounds_the_credits_that_are_left_to_it() -> None:
    assert told(CREDITS, KEY_CREDITS)[CREDITS_LEFT] == "2.000001"
    assert told(CREDITS, KEY_CREDITS._replace(remaining=-1))[CREDITS_LEFT] == "0"


def test_no_limits_are_no_headers() -> None:
    assert told(is_legacy=True) == {}


@pytest.mark.parametrize(
    ("limits", "nearest"),
    [
        ((SECOND, MINUTE), SECOND),
        ((MINUTE, HOUR, CREDITS), HOUR),
        ((HOUR, DAY), DAY),
        ((DAY, HOUR), DAY),
    ],
)
def test_the_older_headers_tell_of_the_limit_nearest_to_its_end(
    limits: tuple[LimitState, ...], nearest: LimitState
) -> None:
    headers = told(*limits, is_legacy=True)
    assert nearest.reset_ms is not None
    assert headers[LEGACY_LIMIT] == str(nearest.limit)
    assert headers[LEGACY_REMAINING] == str(nearest.remaining)
    assert headers[LEGACY_RESET] == str(-(-(nearest.reset_ms - NOW_MS) // 1_000))
    assert not {LEGACY_LIMIT, LEGACY_REMAINING, LEGACY_RESET} & told(*limits).keys()


@pytest.mark.parametrize(
    ("reset_ms", "seconds"),
    [(NOW_MS - 5, 1), (NOW_MS, 1), (NOW_MS + 1, 1), (NOW_MS + 1_000, 1), (NOW_MS + 1_001, 2)],
)
def test_a_caller_is_not_told_to_come_back_before_the_window_ends(
    reset_ms: int, seconds: int
) -> None:
    assert retry_after_seconds(reset_ms, NOW_MS) == seconds

"""Webhooks: which URLs are taken, and for how long a message is tried."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.core.instant import MS_PER_HOUR
from farebox.core.webhook import (
    ATTEMPTS_MAX,
    JITTER_DIVISOR,
    RETRY_AFTER_MS,
    URL_LENGTH_MAX,
    is_endpoint_url,
    next_attempt_ms,
)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com/",
        "https://example.com:8443/a/b?c=d&e=%20",
        "https://xn--bcher-kva.example/hook",
        "https://192.0.2.1/",
        "https://[2001:db8::1]:443/x",
        "https://example.com?x=1",
        "https://example.com/" + "x" * (URL_LENGTH_MAX - 20),
    ],
)
def test_an_https_url_is_taken(url: str) -> None:
    assert is_endpoint_url(url, is_http_allowed=False)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://example.com@127.0.0.1/",
        "https://example.com\\@127.0.0.1/",
        "https://exa mple.com/",
        "https://example.com/a b",
        "https://example.com/\n",
        "https://example.com/#part",
        "https://bücher.example/",
        "https://example.com:port/",
        "https://-example.com/",
        "HTTPS://example.com/",
        "https://example.com/" + "x" * (URL_LENGTH_MAX - 19),
    ],
)
def test_any_other_url_is_refused(url: str) -> None:
    assert not is_endpoint_url(url, is_http_allowed=True)


def test_plain_http_is_taken_only_where_it_is_allowed() -> None:
    assert is_endpoint_url("http://localhost:8000/hook", is_http_allowed=True)
    assert not is_endpoint_url("http://localhost:8000/hook", is_http_allowed=False)


def test_a_message_is_tried_for_about_a_day() -> None:
    assert 24 * MS_PER_HOUR <= sum(RETRY_AFTER_MS) <= 26 * MS_PER_HOUR
    assert list(RETRY_AFTER_MS) == sorted(RETRY_AFTER_MS)
    assert next_attempt_ms(ATTEMPTS_MAX, 0, Random(1).randrange) is None


@given(st.integers(1, ATTEMPTS_MAX - 1), st.integers(0, 2**40), st.integers(0, 2**32))
def test_every_wait_is_as_long_as_it_says_and_at_most_a_fifth_longer(
    attempts: int, now_ms: int, seed: int
) -> None:
    at_ms = next_attempt_ms(attempts, now_ms, Random(seed).randrange)
    assert at_ms is not None
    wait_ms = RETRY_AFTER_MS[attempts - 1]
    assert wait_ms <= at_ms - now_ms < wait_ms + wait_ms // JITTER_DIVISOR

"""Origins: one form, and nothing that could be read as more than an origin."""

from __future__ import annotations

import pytest

from farebox.core.origin import origin_of, read_ancestor, read_origin

WRONG = [
    "",
    "usage.example.com",
    "ftp://example.com",
    "https://",
    "https://example.com/path",
    "https://example.com?x",
    "https://user@example.com",
    "https://example.com:port",
    "https://exa mple.com",
    "https://example.com; script-src *",
    "https://example.com\nX: y",
    "https://-example.com",
    "https://example..com",
    "https://bücher.example",
    "https://" + "a." * 200 + "com",
    "*",
    "https://*",
    "https://a.*.com",
]


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://usage.example.com", "https://usage.example.com"),
        ("HTTPS://Usage.Example.com/", "https://usage.example.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://localhost", "http://localhost"),
    ],
)
def test_an_origin_has_one_form(text: str, origin: str) -> None:
    assert read_origin(text) == origin


@pytest.mark.parametrize("text", [*WRONG, "https://*.example.com", "https://example.com:*"])
def test_what_is_no_origin_is_refused_with_what_would_be_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"https://usage\.example\.com"):
        read_origin(text)


@pytest.mark.parametrize(
    "text",
    ["https://example.com", "https://*.example.com", "http://localhost:*", "https://a.b:8443"],
)
def test_an_ancestor_may_have_a_star_for_names_below_and_for_ports(text: str) -> None:
    assert read_ancestor(text) == text


@pytest.mark.parametrize("text", [*WRONG, "'self'", "https:", "https://[::1]", "https://*.*.com"])
def test_what_no_policy_could_hold_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"https://\*\.example\.com"):
        read_ancestor(text)


def test_a_server_without_tls_is_found_by_its_host_and_port() -> None:
    assert origin_of("127.0.0.1", 8080) == "http://127.0.0.1:8080"
    assert origin_of("::1", 80) == "http://[::1]:80"

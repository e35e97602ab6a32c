"""Forwarded requests: each gateway's from its own place, with the path that will be served."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from farebox.api.forwarded import (
    PATH_LENGTH_MAX,
    Forwarded,
    Read,
    from_forwarded_headers,
    from_nginx,
    from_path,
)
from farebox.core.errors import INVALID_FIELD, MISSING_FIELD, FareboxError
from farebox.core.log_type import split_path

SEGMENTS = st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1, max_size=4)


def question(
    headers: list[tuple[str, str]], *, method: str = "GET", original_path: str = ""
) -> Request:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    return Request(
        {
            "type": "http",
            "method": method,
            "path": "/v1/forward-auth",
            "query_string": b"",
            "headers": raw,
            "client": ("192.0.2.9", 1234),  # the gateway, which is no caller
            "path_params": {"original_path": original_path},
        }
    )


def asked(read: Read, uri: str) -> Forwarded:
    """The request that a gateway would ask about for a URI."""
    if read is from_path:
        # The server has decoded it, and taken the query away.
        return read(question([], original_path=uri.removeprefix("/")))
    return read(question([("X-Forwarded-Uri", uri), ("X-Original-URI", uri)]))


readers = pytest.mark.parametrize("read", [from_forwarded_headers, from_nginx])
all_readers = pytest.mark.parametrize("read", [from_forwarded_headers, from_nginx, from_path])


def test_traefik_and_caddy_tell_by_the_forwarded_headers() -> None:
    headers = [
        ("X-Forwarded-Method", "post"),
        ("X-Forwarded-Uri", "/people/search?page=2"),
        ("X-Forwarded-For", "203.0.113.1, 198.51.100.7"),
    ]
    told = Forwarded("POST", "/people/search", "198.51.100.7", None)
    assert from_forwarded_headers(question(headers)) == told


def test_nginx_tells_by_the_headers_of_its_recipe() -> None:
    headers = [
        ("X-Original-Method", "DELETE"),
        ("X-Original-URI", "/people/7?page=2"),
        ("X-Real-IP", "2001:DB8::1"),
        ("X-Request-ID", "b7a6552f10d4"),
    ]
    told = Forwarded("DELETE", "/people/7", "2001:db8::1", "b7a6552f10d4")
    assert from_nginx(question(headers)) == told


def test_envoy_tells_by_the_question_itself() -> None:
    made = question([("X-Forwarded-For", "198.51.100.7")], method="PUT", original_path="people/7")
    assert from_path(made) == Forwarded("PUT", "/people/7", "198.51.100.7", None)


SPOOFED = [
    ("X-Forwarded-Method", "GET"),
    ("X-Forwarded-Uri", "/cheap"),
    ("X-Original-Method", "GET"),
    ("X-Original-URI", "/cheap"),
    ("X-Real-IP", "203.0.113.66"),
    ("X-Request-ID", "again"),
]


@pytest.mark.parametrize(
    ("read", "own"),
    [
        (from_forwarded_headers, {"X-Forwarded-Method", "X-Forwarded-Uri"}),
        (from_nginx, {"X-Original-Method", "X-Original-URI", "X-Real-IP", "X-Request-ID"}),
        (from_path, set()),
    ],
)
def test_nothing_is_read_from_another_gateways_place(read: Read, own: set[str]) -> None:
    right = [
        ("X-Forwarded-Method", "POST"),
        ("X-Forwarded-Uri", "/dear"),
        ("X-Original-Method", "POST"),
        ("X-Original-URI", "/dear"),
        ("X-Real-IP", "198.51.100.7"),
        ("X-Request-ID", "once"),
        ("X-Forwarded-For", "203.0.113.66, 198.51.100.7"),
    ]
    mine = [header for header in right if header[0] in own or header[0] == "X-Forwarded-For"]
    spoofed = [header for header in SPOOFED if header[0] not in own]
    found = read(question(mine + spoofed, method="POST", original_path="dear"))
    expected_id = "once" if read is from_nginx else None
    assert found == Forwarded("POST", "/dear", "198.51.100.7", expected_id)


@readers
def test_a_question_without_a_path_is_refused_with_the_name_of_the_header(read: Read) -> None:
    with pytest.raises(FareboxError) as refused:
        read(question([]))
    assert refused.value.kind is MISSING_FIELD
    assert refused.value.params["field"] in {"X-Forwarded-Uri", "X-Original-URI"}


@readers
@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("/people/search", "/people/search"),
        ("/people/search?a=/../x", "/people/search"),
        ("/people/search#top", "/people/search"),
        ("/people/%73earch", "/people/search"),
        ("/people%2Fsearch", "/people/search"),
        ("/people/..%252Fx", "/people/..%2Fx"),
        ("/cheap%3Fx/dear", "/cheap%3Fx/dear"),
        ("/cheap%23x/dear", "/cheap%23x/dear"),
        ("people", "/people"),
        ("/", "/"),
        ("/.../..a", "/.../..a"),
    ],
)
def test_the_path_is_what_the_api_will_see(read: Read, uri: str, path: str) -> None:
    assert asked(read, uri).path == path


@all_readers
@pytest.mark.parametrize("path", ["/cheap/../dear", "/dear/.", "/..", "/./x", "/a/../../b/"])
def test_a_path_that_may_be_read_in_two_ways_is_refused(read: Read, path: str) -> None:
    with pytest.raises(FareboxError) as refused:
        asked(read, path)
    assert refused.value.kind is INVALID_FIELD


@readers
@pytest.mark.parametrize("path", ["/cheap/%2e%2e/dear", "/cheap/%2E./dear", "/cheap/..%2Fdear"])
def test_escapes_hide_nothing(read: Read, path: str) -> None:
    with pytest.raises(FareboxError) as refused:
        asked(read, path)
    assert refused.value.kind is INVALID_FIELD


@all_readers
def test_a_path_that_is_too_long_to_be_kept_is_refused(read: Read) -> None:
    assert len(asked(read, "/" + "a" * (PATH_LENGTH_MAX - 1)).path) == PATH_LENGTH_MAX
    with pytest.raises(FareboxError) as refused:
        asked(read, "/" + "a" * PATH_LENGTH_MAX)
    assert refused.value.kind is INVALID_FIELD


@given(SEGMENTS)
def test_no_escaped_character_ends_the_path_or_a_segment(segments: list[str]) -> None:
    """But for the slash itself, which most servers decode before they look for a route."""
    plain = [segment.replace("/", "-") for segment in segments]
    if not {".", ".."}.isdisjoint(plain):
        return
    uri = "/" + "/".join(quote(segment, safe="") for segment in plain)
    kept = [segment.replace("?", "%3F").replace("#", "%23") for segment in plain]
    assert split_path(asked(from_forwarded_headers, uri).path) == kept


@pytest.mark.parametrize(
    ("told", "ip"),
    [
        (["198.51.100.7"], "198.51.100.7"),
        (["203.0.113.1", "198.51.100.7"], "198.51.100.7"),
        (["203.0.113.1,198.51.100.7 "], "198.51.100.7"),
        (["203.0.113.1, nonsense"], None),
        ([""], None),
        ([], None),
    ],
)
def test_the_caller_is_who_the_gateway_itself_has_seen(told: list[str], ip: str | None) -> None:
    headers = [("X-Forwarded-Uri", "/"), *(("X-Forwarded-For", value) for value in told)]
    assert from_forwarded_headers(question(headers)).ip == ip

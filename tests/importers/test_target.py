"""A request line gives its method and its path, or is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.importers.refusal import Reason, Refused
from farebox.importers.target import PATH_LENGTH_MAX, check_method, path_of, split_request_line


@pytest.mark.parametrize(
    ("line", "method", "target"),
    [
        ("GET / HTTP/1.1", "GET", "/"),
        ("POST /v1/x?y=1 HTTP/2.0", "POST", "/v1/x?y=1"),
        ("GET /old", "GET", "/old"),
        ("GET /a b HTTP/1.1", "GET", "/a b"),
        ("GET http://example.com/x HTTP/1.1", "GET", "http://example.com/x"),
    ],
)
def test_a_request_line_is_split(line: str, method: str, target: str) -> None:
    assert split_request_line(line) == (method, target)


@pytest.mark.parametrize("line", ["", "GET", "\x16\x03\x01", "GET  HTTP/1.1", "a b c"])
def test_what_scanners_send_is_no_request_line(line: str) -> None:
    with pytest.raises(Refused) as refused:
        split_request_line(line)
    assert refused.value.reason == Reason.BAD_REQUEST


@pytest.mark.parametrize("method", ["", "G T", "GÉT", "\x16\x03", "1GET", "G" * 33])
def test_what_is_no_method_is_refused(method: str) -> None:
    with pytest.raises(Refused):
        check_method(method)


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/", "/"),
        ("/v1/people/search?key=secret", "/v1/people/search"),
        ("/v1/x#part?y", "/v1/x"),
        ("/a%20b", "/a%20b"),
        ("/a b", "/a%20b"),
        ("/caf\u00e9", "/caf%C3%A9"),
        ("/\udcff", "/%FF"),
        ("/a\x00b\n", "/a%00b%0A"),
        ("https://example.com:8443/v1/x?y", "/v1/x"),
        ("http://example.com", "/"),
        ("http://example.com?y=1", "/"),
        ("//double", "//double"),
    ],
)
def test_a_path_has_no_query_and_only_what_may_stand_in_a_url(target: str, path: str) -> None:
    assert path_of(target) == path


@pytest.mark.parametrize("target", ["*", "example.com:443", "", "?x", "x/y"])
def test_what_is_no_path_is_refused(target: str) -> None:
    with pytest.raises(Refused) as refused:
        path_of(target)
    assert refused.value.reason == Reason.BAD_REQUEST


def test_a_path_is_bounded() -> None:
    assert len(path_of("/" * PATH_LENGTH_MAX)) == PATH_LENGTH_MAX
    with pytest.raises(Refused) as refused:
        path_of("/" * (PATH_LENGTH_MAX + 1))
    assert refused.value.reason == Reason.PATH_TOO_LONG


@given(st.text(max_size=200))
def test_a_path_is_always_printable_ascii_and_stays_itself(rest: str) -> None:
    path = path_of("/" + rest)
    assert path.isascii()
    assert path.isprintable()
    assert " " not in path
    assert path_of(path) == path

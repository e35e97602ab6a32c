"""The combined format of nginx and Apache."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.importers.combined import Combined
from farebox.importers.refusal import Reason
from tests.importers.logs import (
    APACHE,
    COMMON,
    KEY,
    KEYED,
    NGINX,
    ONE_KEY_ID,
    draft,
    refusal,
)


def test_apaches_own_example_is_read() -> None:
    found = draft("combined", APACHE, ONE_KEY_ID)
    assert found[0] == 1
    assert found[2:] == (
        "import",
        None,
        "key_5hZ0c2rWq8Lm",
        None,
        "GET",
        "/apache_pb.gif",
        971_211_336_000,
        200,
        None,
        2326,
        "127.0.0.1",
        None,
        None,
        None,
    )


def test_the_common_format_is_read_too() -> None:
    found = draft("combined", COMMON, ONE_KEY_ID)
    assert (found.path, found.status_code, found.response_size) == ("/apache_pb.gif", 200, 2326)


def test_nginx_with_the_key_in_a_trailing_field_is_read() -> None:
    found = draft("combined", NGINX, KEYED)
    assert found.key is not None
    assert found.key.reveal() == KEY
    assert (found.key_id, found.authentication_type) == (None, "x-api-key")
    assert (found.method, found.path) == ("POST", "/v1/people/search")
    assert (found.ip, found.time_ms) == ("2001:db8::7", 1_777_629_600_000)


@pytest.mark.parametrize(
    ("ending", "duration_ms"),
    [(b"", None), (b" 0.034", 34), (b" 7", None), (b' 0.034 "x"', None), (b' "-" 0.034', None)],
)
def test_one_lone_trailing_number_with_three_decimals_is_the_request_time(
    ending: bytes, duration_ms: int | None
) -> None:
    assert draft("combined", APACHE + ending, ONE_KEY_ID).duration_ms == duration_ms


def test_named_trailing_fields_go_by_their_order() -> None:
    toml = """
        [combined]
        trailing = ["D", "-", "request_id", "key", "credits"]
        [fields]
        duration_us = "D"
        [key]
        field = "key"
        [request_id]
        field = "request_id"
        [credits]
        field = "credits"
    """
    line = APACHE + f' 34567 "a, b" 0.1, 0.2 "{KEY}" 2.5'.encode()
    found = draft("combined", line, toml)
    assert (found.duration_ms, found.request_id, found.credits_micro) == (34, "0.1, 0.2", 2_500_000)
    assert found.authentication_type is None


@pytest.mark.parametrize("ending", [b"", b" 1 2", b" ", b' "a" "b"', b' a"b" c'])
def test_other_trailing_fields_than_the_named_ones_are_refused(ending: bytes) -> None:
    assert refusal("combined", APACHE + ending, KEYED) == Reason.TRAILING


@pytest.mark.parametrize(
    ("status", "expected"), [(b"000", None), (b"009", None), (b"-", None), (b"499", 499)]
)
def test_a_line_without_a_status_has_none(status: bytes, expected: int | None) -> None:
    line = APACHE.replace(b" 200 ", b" " + status + b" ")
    assert draft("combined", line, ONE_KEY_ID).status_code == expected


def test_a_hyphen_is_nothing() -> None:
    line = b'- - - [10/Oct/2000:13:55:36 -0700] "GET /x HTTP/1.0" - - "-" "-"'
    found = draft("combined", line, ONE_KEY_ID)
    assert (found.ip, found.status_code, found.response_size) == (None, None, None)


def test_a_hosts_name_is_no_address() -> None:
    line = APACHE.replace(b"127.0.0.1", b"client.example.com")
    assert draft("combined", line, ONE_KEY_ID).ip is None


def test_a_user_with_a_space_and_brackets_is_read() -> None:
    line = APACHE.replace(b"frank", b"frank [the] first")
    toml = '[key_id]\nfield = "remote_user"'
    assert draft("combined", line, toml).key_id == "frank [the] first"


@pytest.mark.parametrize(
    ("request_line", "path"),
    [
        (rb"GET /a\x22b\x5Cc HTTP/1.1", "/a%22b\\c"),
        (rb"GET /a\"b\\c HTTP/1.1", "/a%22b\\c"),
        (rb"GET /caf\xC3\xA9 HTTP/1.1", "/caf%C3%A9"),
        (rb"GET /caf\xe9 HTTP/1.1", "/caf%E9"),
        ("GET /café HTTP/1.1".encode(), "/caf%C3%A9"),
        pytest.param(b"GET /caf\xe9 HTTP/1.1", "/caf%E9", id="raw latin-1"),
        (rb"GET /a\tb HTTP/1.1", "/a%09b"),
    ],
)
def test_the_escapes_of_both_servers_are_undone(request_line: bytes, path: str) -> None:
    line = APACHE.replace(b"GET /apache_pb.gif HTTP/1.0", request_line)
    assert draft("combined", line, ONE_KEY_ID).path == path


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", Reason.NOT_COMBINED),
        (b"nonsense", Reason.NOT_COMBINED),
        (b'{"json": 1}', Reason.NOT_COMBINED),
        (APACHE[:-1], Reason.NOT_COMBINED),
        (APACHE + b' "a', Reason.NOT_COMBINED),
        (APACHE.replace(b"GET /apache_pb.gif HTTP/1.0", b""), Reason.NO_REQUEST),
        (APACHE.replace(b"GET /apache_pb.gif HTTP/1.0", b"-"), Reason.NO_REQUEST),
        (APACHE.replace(b"GET /apache_pb.gif HTTP/1.0", rb"\x16\x03\x01"), Reason.BAD_REQUEST),
        (APACHE.replace(b"/apache_pb.gif", b"*"), Reason.BAD_REQUEST),
        (APACHE.replace(b"/Oct/", b"/Okt/"), Reason.BAD_TIME),
        (APACHE.replace(b" 200 ", b" 600 "), Reason.BAD_STATUS),
        (APACHE.replace(b" 2326 ", b" 9999999999999999999 "), Reason.BAD_SIZE),
    ],
)
def test_a_malformed_line_is_refused_with_its_reason(line: bytes, reason: Reason) -> None:
    assert refusal("combined", line, ONE_KEY_ID) == reason


@pytest.mark.parametrize(
    "hostile",
    [
        b"1.2.3.4 - " + b' [10/Oct/2000:13:55:36 -0700] "' * 2000,
        b"1.2.3.4 - a" + b" [" * 30_000,
        APACHE[:-1] + b"\\" * 60_000,
        APACHE + b" a," + b" a," * 20_000 + b" b",
        APACHE + b' "' + b"a, " * 20_000,
    ],
    ids=["stamps", "brackets", "backslashes", "commas", "quote"],
)
def test_no_line_makes_the_matching_slow(hostile: bytes) -> None:
    toml = '[combined]\ntrailing = ["a", "b", "c", "d", "e", "f"]\n' + ONE_KEY_ID
    started = time.process_time()
    assert refusal("combined", hostile, toml) is not None
    assert time.process_time() - started < 2


PRINTABLE = st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters='"\\')
VISIBLE = st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters='"\\?#')


def nginx_escape(raw: bytes) -> str:
    """As nginx does by default: what isn't printable ASCII, quotes and backslashes as hex."""
    return "".join(
        chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\' else f"\\x{byte:02X}"
        for byte in raw
    )


def apache_escape(raw: bytes) -> str:
    """As Apache does: a backslash before quotes and backslashes, letters for white space."""
    letters = {0x22: '\\"', 0x5C: "\\\\", 0x0A: "\\n", 0x09: "\\t", 0x0D: "\\r", 0x08: "\\b"}
    letters[0x0B] = "\\v"
    return "".join(
        letters.get(byte, chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}") for byte in raw
    )


class Logged(NamedTuple):
    """A request as a server knows it."""

    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    user: str
    second: int
    path: str
    query: str
    status: int
    size: int
    agent: bytes
    duration_ms: int

    def render(self, escape: Callable[[bytes], str]) -> bytes:
        """The line that the server writes."""
        stamp = datetime.fromtimestamp(self.second, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
        return (
            f"{self.address} - {self.user} [{stamp}] "
            f'"GET {self.path}?{self.query} HTTP/1.1" {self.status} {self.size} "-" '
            f'"{escape(self.agent)}" {self.duration_ms // 1000}.{self.duration_ms % 1000:03d}'
        ).encode()


LOGGED = st.builds(
    Logged,
    address=st.ip_addresses(),
    user=st.text(PRINTABLE, max_size=20).map(lambda text: text.replace("[", "(").strip() or "-"),
    second=st.integers(0, 4_102_444_800),
    path=st.text(VISIBLE, max_size=40).map(lambda text: "/" + text),
    query=st.text(VISIBLE, max_size=20),
    status=st.integers(100, 599),
    size=st.integers(0, 10**12),
    agent=st.binary(max_size=60),
    duration_ms=st.integers(0, 10**7),
)


@given(LOGGED, st.sampled_from([nginx_escape, apache_escape]))
def test_what_was_rendered_is_read_back(logged: Logged, escape: Callable[[bytes], str]) -> None:
    line = logged.render(escape)
    found = draft("combined", line, ONE_KEY_ID)
    assert (found.method, found.path) == ("GET", logged.path)
    assert (found.time_ms, found.duration_ms) == (logged.second * 1000, logged.duration_ms)
    assert (found.status_code, found.response_size) == (logged.status, logged.size)
    assert found.ip == str(logged.address)
    row = Combined(()).read(line)
    assert row["remote_user"] == logged.user
    assert str(row["http_user_agent"]).encode("utf-8", "surrogateescape") == logged.agent

"""nginx's JSON lines, with names of one's own choice."""

from __future__ import annotations

import json
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.importers.refusal import Reason
from tests.importers.logs import KEY, NGINX_JSON, ONE_KEY_ID, draft, refusal

TIME_MS = 1_777_629_600_123
LINE: dict[str, object] = json.loads(NGINX_JSON)


def line_of(changes: dict[str, object]) -> bytes:
    """The example with other fields; None takes one away."""
    changed = {**LINE, **changes}
    return json.dumps(
        {name: value for name, value in changed.items() if value is not None}
    ).encode()


def unquoted(path: str) -> str:
    """The path without its percent-encoding."""
    return urllib.parse.unquote(path, errors="surrogateescape")


def test_the_usual_names_are_known() -> None:
    found = draft("nginx_json", NGINX_JSON)
    assert found.key is not None
    assert found.key.reveal() == KEY
    assert found.authentication_type == "x-api-key"
    assert (found.method, found.path) == ("POST", "/v1/people/search")
    assert (found.time_ms, found.duration_ms) == (TIME_MS, 34)
    assert (found.status_code, found.response_size, found.ip) == (200, 512, "203.0.113.7")


@pytest.mark.parametrize(
    ("changes", "time_ms"),
    [
        ({}, TIME_MS),
        ({"msec": None}, TIME_MS - 123),
        ({"msec": None, "time_iso8601": None, "time_local": "01/May/2026:12:00:00 +0200"},
         TIME_MS - 123),
        ({"msec": None, "time_iso8601": None, "ts": 1777629600}, TIME_MS - 123),
    ],
    ids=["msec", "iso8601", "local", "number"],
)  # fmt: skip
def test_the_finest_time_wins(changes: dict[str, object], time_ms: int) -> None:
    assert draft("nginx_json", line_of(changes)).time_ms == time_ms


def test_numbers_may_be_texts_and_texts_numbers() -> None:
    line = line_of({"status": "404", "body_bytes_sent": "7", "request_time": 1, "msec": 1777629600})
    found = draft("nginx_json", line)
    assert (found.status_code, found.response_size, found.duration_ms) == (404, 7, 1_000)
    assert found.time_ms == TIME_MS - 123


def test_the_path_may_come_without_a_request_line() -> None:
    line = line_of({"request": None, "request_method": "PUT", "request_uri": "/a?b"})
    found = draft("nginx_json", line)
    assert (found.method, found.path) == ("PUT", "/a")


def test_the_request_line_is_believed_before_a_rewritten_uri() -> None:
    line = line_of({"request_method": "POST", "uri": "/index.php"})
    assert draft("nginx_json", line).path == "/v1/people/search"


def test_a_named_path_is_believed_before_the_request_line() -> None:
    line = line_of({"verb": "POST", "route": "/named"})
    toml = '[fields]\nmethod = "verb"\npath = "route"'
    assert draft("nginx_json", line, toml).path == "/named"


def test_fields_may_stand_deeper_or_have_dots() -> None:
    line = json.dumps(
        {
            "@timestamp": "2026-05-01T10:00:00.123Z",
            "http.request.method": "GET",
            "nginx": {"url": "/x", "ms": 12.75, "code": "201", "headers": {"id": ["r-1"]}},
        }
    ).encode()
    toml = (
        ONE_KEY_ID
        + """
        [request_id]
        field = "nginx.headers.id"
        [fields]
        method = "http.request.method"
        path = "nginx.url"
        duration_ms = "nginx.ms"
        status_code = "nginx.code"
    """
    )
    found = draft("nginx_json", line, toml)
    assert (found.time_ms, found.method, found.path) == (TIME_MS, "GET", "/x")
    assert (found.duration_ms, found.status_code, found.request_id) == (12, 201, "r-1")


def test_a_request_id_log_type_channel_and_credits_come_from_the_line() -> None:
    line = line_of({"kind": "people_search", "ch": "portal", "sent_http_farebox_credits": 1.25})
    toml = """
        source = "import:web1"
        [request_id]
        field = "request_id"
        [log_type]
        field = "kind"
        [channel]
        field = "ch"
        [credits]
        response_header = "Farebox-Credits"
    """
    found = draft("nginx_json", line, toml)
    assert (found.source, found.request_id) == ("import:web1", LINE["request_id"])
    assert (found.log_type, found.channel, found.credits_micro) == (
        "people_search", "portal", 1_250_000,
    )  # fmt: skip


@pytest.mark.parametrize("nothing", ["", "-", None], ids=["empty", "hyphen", "absent"])
def test_what_a_line_leaves_empty_is_absent(nothing: str | None) -> None:
    names = ("request_id", "kind", "ch", "paid", "status", "body_bytes_sent", "request_time")
    toml = """
        request_id.field = "request_id"
        log_type.field = "kind"
        channel.field = "ch"
        credits.field = "paid"
    """
    found = draft("nginx_json", line_of(dict.fromkeys((*names, "remote_addr"), nothing)), toml)
    assert len(found.request_id) == 56
    absent = (found.log_type, found.channel, found.credits_micro, found.status_code)
    assert absent == (None,) * 4
    assert (found.response_size, found.duration_ms, found.ip) == (None,) * 3


def test_the_first_address_of_a_forwarding_list_is_the_ip() -> None:
    line = line_of({"xff": "198.51.100.9, 10.0.0.1"})
    assert draft("nginx_json", line, '[fields]\nip = "xff"').ip == "198.51.100.9"


def test_a_bearer_token_is_a_key() -> None:
    line = line_of({"http_x_api_key": "", "http_authorization": f"Bearer {KEY}"})
    found = draft("nginx_json", line)
    assert found.key is not None
    assert (found.key.reveal(), found.authentication_type) == (KEY, "authorization")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"msec": None, "time_iso8601": None}, Reason.NO_TIME),
        ({"msec": "soon"}, Reason.BAD_TIME),
        ({"msec": {"a": 1}}, Reason.BAD_TIME),
        ({"request": None}, Reason.NO_REQUEST),
        ({"request": "/only/a/path"}, Reason.BAD_REQUEST),
        ({"request": [True]}, Reason.BAD_REQUEST),
        ({"status": True}, Reason.BAD_STATUS),
        ({"status": 99}, Reason.BAD_STATUS),
        ({"status": "2xx"}, Reason.BAD_STATUS),
        ({"status": -200}, Reason.BAD_STATUS),
        ({"request_time": "fast"}, Reason.BAD_DURATION),
        ({"request_time": -1}, Reason.BAD_DURATION),
        ({"request_time": "9" * 17}, Reason.BAD_DURATION),
        ({"body_bytes_sent": 1.5}, Reason.BAD_SIZE),
        ({"http_x_api_key": None}, Reason.NO_KEY),
        ({"http_x_api_key": "short"}, Reason.BAD_KEY),
        ({"http_x_api_key": "fbx_" + "0" * 38}, Reason.BAD_KEY),
        ({"http_x_api_key": {"a": KEY}}, Reason.BAD_KEY),
        ({"request_id": "a\nb"}, Reason.BAD_REQUEST_ID),
        ({"request_id": "x" * 1025}, Reason.BAD_REQUEST_ID),
        ({"kind": "People Search"}, Reason.BAD_LOG_TYPE),
        ({"ch": "self"}, Reason.BAD_CHANNEL),
        ({"paid": "-1"}, Reason.BAD_CREDITS),
        ({"paid": "0.0000001"}, Reason.BAD_CREDITS),
        ({"paid": False}, Reason.BAD_CREDITS),
    ],
    ids=str,
)
def test_a_wrong_value_refuses_the_line(changes: dict[str, object], reason: Reason) -> None:
    toml = """
        request_id.field = "request_id"
        log_type.field = "kind"
        channel.field = "ch"
        credits.field = "paid"
    """
    assert refusal("nginx_json", line_of(changes), toml) == reason


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        (None, Reason.NO_KEY),
        ({}, Reason.NO_KEY),
        ({"id": {"x": "key_a"}}, Reason.NO_KEY),
        ({"id": {"key": "-"}}, Reason.NO_KEY),
        ({"id": {"key": "key\u0007"}}, Reason.BAD_KEY_ID),
        ({"id": {"key": "k" * 201}}, Reason.BAD_KEY_ID),
        ({"id": {"key": "key_a"}}, None),
    ],
    ids=range(7),
)
def test_a_key_id_is_needed_where_the_mapping_says(user: object, reason: Reason | None) -> None:
    toml = 'key_id.field = "user.id.key"'
    assert refusal("nginx_json", line_of({"user": user}), toml) == reason


@pytest.mark.parametrize(
    "line", [b"[]", b"1", b"{", b'{"a": \\x22}', b"null", b"[" * 60_000, b'{"a":' * 12_000],
    ids=["list", "number", "open", "hex escape", "null", "deep list", "deep object"],
)  # fmt: skip
def test_what_is_no_json_object_is_refused(line: bytes) -> None:
    assert refusal("nginx_json", line) == Reason.NOT_JSON


def test_bytes_that_are_no_utf8_don_t_spoil_the_line() -> None:
    line = NGINX_JSON.replace(b"curl", b"curl \xff\xfe")
    assert draft("nginx_json", line).path == "/v1/people/search"


@given(
    time_ms=st.integers(10**12, 4 * 10**12),
    path=st.text(max_size=40),
    status=st.integers(100, 599),
    duration_ms=st.integers(0, 10**9),
    agent=st.text(),
    ascii_only=st.booleans(),
)
def test_what_was_rendered_is_read_back(
    time_ms: int, path: str, status: int, duration_ms: int, agent: str, *, ascii_only: bool
) -> None:
    target = "/" + path.replace("?", "").replace("#", "")
    fields = {
        "msec": f"{time_ms // 1000}.{time_ms % 1000:03d}",
        "request_method": "GET",
        "request_uri": target,
        "status": status,
        "request_time": f"{duration_ms // 1000}.{duration_ms % 1000:03d}",
        "http_user_agent": agent,
        "http_x_api_key": KEY,
    }
    found = draft("nginx_json", json.dumps(fields, ensure_ascii=ascii_only).encode())
    assert (found.time_ms, found.duration_ms, found.status_code) == (time_ms, duration_ms, status)
    assert unquoted(found.path) == unquoted(target)

"""Broken HTTP: whatever bytes come, the server answers no 5xx, logs no fault and serves on."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.server import ADMIN_TOKEN, RunningServer

AUTHORIZED = f"Host: x\r\nAuthorization: Bearer {ADMIN_TOKEN}\r\nConnection: close\r\n".encode()
ROWS = b'{"requests": [{"id": "1", "key_id": "key_1"}]}'
EVENT = b'{"specversion":"1.0","id":"1","source":"a","type":"b","subject":"c"}'
ANSWER_SECONDS_MAX = 0.2


def post(path: bytes, media_type: bytes, body: bytes) -> bytes:
    """A whole request."""
    head = b"POST %b HTTP/1.1\r\nContent-Type: %b\r\n" % (path, media_type)
    return head + AUTHORIZED + b"Content-Length: %d\r\n\r\n" % len(body) + body


WHOLE = (
    post(b"/v1/requests", b"application/json", ROWS),
    post(b"/api/v1/events", b"application/cloudevents+json", EVENT),
    post(b"/admin/v1/plans", b"application/json", b'{"slug": "a"}'),
    post(b"/api_keys/usage/daily", b"application/json", b"{}"),
    b"GET /admin/v1/workspaces?limit=1 HTTP/1.1\r\n" + AUTHORIZED + b"\r\n",
    b"GET /docs/en/errors.md HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
)
HEAD = b"GET /admin/v1/plans HTTP/1.1\r\n" + AUTHORIZED
ODD = (
    b"",
    b"\r\n\r\n",
    b"\0" * 100,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET / HTTP/0.9\r\n\r\n",
    b"GET http://x/healthz HTTP/1.1\r\n" + AUTHORIZED + b"\r\n",
    b"GET //admin//v1//plans HTTP/1.1\r\n" + AUTHORIZED + b"\r\n",
    b"GET /admin/v1/workspaces/%2e%2e/%00 HTTP/1.1\r\n" + AUTHORIZED + b"\r\n",
    b"GET /admin/v1/workspaces/%ff%fe HTTP/1.1\r\n" + AUTHORIZED + b"\r\n",
    b"GET /admin/v1/plans?%ff=%fe&limit=%00 HTTP/1.1\r\n" + AUTHORIZED + b"\r\n",
    b"GET /docs/assets/..%2f..%2fapp.py HTTP/1.1\r\n" + AUTHORIZED + b"\r\n",
    b"OPTIONS * HTTP/1.1\r\n" + AUTHORIZED + b"\r\n",
    b"CONNECT x:443 HTTP/1.1\r\n" + AUTHORIZED + b"\r\n",
    HEAD + b"Accept-Language: " + b"zh;q=1," * 10_000 + b"\r\n\r\n",
    HEAD + b"X: " + b"x" * 1_000_000 + b"\r\n\r\n",
    HEAD + b"".join(b"X%d: y\r\n" % n for n in range(5_000)) + b"\r\n",
    HEAD + b"Authorization: Bearer other\r\n\r\n",
    HEAD + b"Accept-Language: \xff\xfe\r\n\r\n",
    HEAD + b"Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n",
    HEAD + b"Expect: 100-continue\r\n\r\n",
    HEAD + b"Expect: the unexpected\r\n\r\n",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + AUTHORIZED + b"\r\n",
    HEAD.replace(b"GET", b"POST") + b"Content-Length: 99999999999999999999\r\n\r\n{}",
    HEAD.replace(b"GET", b"POST") + b"Content-Length: -1\r\n\r\n{}",
    HEAD.replace(b"GET", b"POST") + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    HEAD.replace(b"GET", b"POST")
    + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    HEAD.replace(b"GET", b"POST") + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    HEAD.replace(b"GET", b"POST") + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}",
    post(b"/v1/requests", b"application/json", b"\xef\xbb\xbf" + ROWS),
    post(b"/v1/requests", b"\xff", ROWS),
    post(b"/v1/requests", b"application/json", b"[" * 1_000_000),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that has answered no 5xx at the end."""
    with RunningServer(tmp_path_factory.mktemp("wire")) as running:
        yield running
        assert running.call("GET", "/admin/v1/plans").status_code == 200
        assert running.client.get(f"{running.url}/readyz").status_code == 200
        lines = running.client.get(f"{running.url}/metrics").text.splitlines()
        counted = [line for line in lines if line.startswith("farebox_http_requests_total")]
        assert [line for line in counted if 'status="4' in line], "nothing was understood"
        assert not [line for line in counted if 'status="5' in line]
        logged = [json.loads(line) for line in running.errors().splitlines()]
        assert not [line for line in logged if line["level"] == "error" or "error" in line]


def answer(server: RunningServer, content: bytes) -> bytes:
    """What the server says, if it says anything soon, before the connection is closed."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), 10) as connection:
        # It may have hung up before all was sent.
        with suppress(OSError):
            connection.sendall(content)
        connection.settimeout(ANSWER_SECONDS_MAX)
        with suppress(OSError):
            return connection.recv(65536)
    return b""


def check(said: bytes) -> None:
    if said:
        version, status = said.split(b" ")[:2]
        assert version == b"HTTP/1.1"
        assert status < b"500", said


@pytest.mark.parametrize("content", ODD, ids=range(len(ODD)))
def test_odd_requests_are_refused_or_served(server: RunningServer, content: bytes) -> None:
    check(answer(server, content))


@pytest.mark.parametrize("content", WHOLE, ids=range(len(WHOLE)))
def test_half_a_request_is_given_up(server: RunningServer, content: bytes) -> None:
    """At every place where a client may hang up."""
    assert answer(server, content).startswith(b"HTTP/1.1 ")
    address = urlsplit(server.url)
    for end in range(1, len(content), 7):
        with socket.create_connection((address.hostname, address.port), 10) as connection:
            connection.sendall(content[:end])


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """A good request with a few bytes changed, left out or doubled."""
    content = draw(st.sampled_from(WHOLE))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 12)))
        new = draw(st.one_of(st.binary(max_size=4), st.just(content[start:end] * 2)))
        content = content[:start] + new + content[end:]
    return content


@settings(max_examples=150, deadline=None, database=None)
@given(content=broken())
def test_broken_requests_are_refused_or_served(server: RunningServer, content: bytes) -> None:
    check(answer(server, content))

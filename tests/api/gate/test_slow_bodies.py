"""Whatever is asked: a body that stops is told so in the shape of who was asked, and counted."""

from __future__ import annotations

import pytest

from farebox.api.bounds import Bounds
from tests.api.gate.till import Till
from tests.support.connections import listening

STOPPING = Bounds(body_seconds=0.05)
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def head(path: str, media_type: str, *more: str) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: farebox.test",
        f"Content-Type: {media_type}",
        "Content-Length: 1000",
        *more,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def told(till: Till, *parts: bytes) -> tuple[str, str]:
    """Head and body of the answer, after which the server has hung up."""

    async def work() -> bytes:
        async with listening(till.api.app, STOPPING) as door:
            connection = await door.connect()
            await connection.send(*parts)
            return await connection.said()

    answer = till.api.run(work()).decode()
    start, _, body = answer.partition("\r\n\r\n")
    return start, body


@pytest.mark.parametrize("part", [b"", b'{"key":'], ids=["nothing", "a part"])
@pytest.mark.parametrize(
    "path", ["/v1/authorize", "/v1/requests", "/api/v1/events", "/admin/v1/workspaces"]
)
def test_a_call_whose_body_stops_is_408(till: Till, path: str, part: bytes) -> None:
    token = till.api.admin_token if path.startswith("/admin") else till.token
    asked = head(path, JSON, f"Authorization: Bearer {token}", "Accept-Language: ko")
    start, body = told(till, asked, part)
    assert start.startswith("HTTP/1.1 408 ")
    assert "connection: close" in start
    assert "content-language: ko" in start
    assert '"code":40801' in body
    counted = till.api.request("GET", "/metrics").text
    assert f'{{method="POST",route="{path}",status="408"}} 1' in counted


def test_a_customers_call_whose_body_stops_is_408(till: Till) -> None:
    start, body = told(till, head("/profile", JSON, f"X-API-Key: {till.key}"))
    assert start.startswith("HTTP/1.1 408 ")
    assert '"code":40801' in body


def test_a_caller_who_is_unknown_is_not_waited_for(till: Till) -> None:
    start, body = told(till, head("/v1/requests", JSON, "Authorization: Bearer none"), b"{")
    assert start.startswith("HTTP/1.1 401 ")
    assert '"code":40103' in body


def test_a_form_that_stops_is_408_on_a_page(till: Till) -> None:
    start, body = told(till, head("/dashboard/sign-in", FORM, "Accept-Language: en"), b"key=")
    assert start.startswith("HTTP/1.1 408 ")
    assert "connection: close" in start
    assert "<!doctype html>" in body.lower()
    assert "The body came too slowly." in body

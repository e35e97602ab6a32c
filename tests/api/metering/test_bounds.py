"""Bounds: of time, of rows in a call, of bytes in a body. What is just inside them is taken."""

from __future__ import annotations

from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import pytest

from farebox.contract.metering import BODY_BYTES_MAX, ROWS_MAX
from farebox.core.instant import MS_PER_DAY, MS_PER_MINUTE
from tests.api.metering.gateway import CREDIT, EVENTS, MANY, ONE, Gateway

DAYS_35_MS = 35 * MS_PER_DAY
MINUTES_5_MS = 5 * MS_PER_MINUTE
# Bodies are padded with blanks, which JSON allows.
SMALL = b'{"requests": []'


@pytest.mark.parametrize("offset_ms", [-DAYS_35_MS, -DAYS_35_MS + 1, 0, MINUTES_5_MS])
def test_a_time_at_its_bound_is_taken(gateway: Gateway, offset_ms: int) -> None:
    assert gateway.report(gateway.row(time=gateway.stamp(offset_ms)))["accepted"] == 1
    assert gateway.logged("time_ms") == [(gateway.harness.now_ms + offset_ms,)]


@pytest.mark.parametrize("offset_ms", [-DAYS_35_MS - 1, MINUTES_5_MS + 1, -4000 * MS_PER_DAY])
def test_a_time_beyond_its_bound_is_rejected(gateway: Gateway, offset_ms: int) -> None:
    assert gateway.refusal(gateway.row(time=gateway.stamp(offset_ms))) == (
        42206,
        "The field 'time' must be at most 35 days back and 5 minutes ahead.",
    )


def test_without_a_time_a_request_is_of_now(gateway: Gateway) -> None:
    gateway.report(gateway.row())
    assert gateway.logged("time_ms") == [(gateway.harness.now_ms,)]


def test_10_000_rows_are_taken_and_one_more_is_413_and_nothing(gateway: Gateway) -> None:
    rows = [gateway.row(id=str(number)) for number in range(ROWS_MAX + 1)]
    response = gateway.send(*rows)
    assert (response.status_code, response.json()["code"]) == (413, 41302)
    assert "10000" in response.json()["message"]
    assert gateway.counted()[0][:2] == (0, 0)
    assert gateway.report(*rows[:-1])["accepted"] == ROWS_MAX
    assert gateway.counted()[0][:4] == (ROWS_MAX, ROWS_MAX, ROWS_MAX, 3 * ROWS_MAX * CREDIT)
    assert gateway.report(*rows[:-1])["duplicates"] == ROWS_MAX


def test_10_000_events_are_taken_and_one_more_is_413_and_nothing(gateway: Gateway) -> None:
    events = [gateway.event(id=str(number)) for number in range(ROWS_MAX + 1)]
    response = gateway.emit(events, MANY)
    assert (response.status_code, response.json()["code"]) == (413, 41302)
    assert gateway.counted()[0][:2] == (0, 0)
    gateway.emitted(*events[:-1])
    assert gateway.counted()[0][:2] == (ROWS_MAX, ROWS_MAX)


def test_a_body_of_16_mib_is_taken_and_a_byte_more_is_413(gateway: Gateway) -> None:
    largest = SMALL + b" " * (BODY_BYTES_MAX - len(SMALL) - 1) + b"}"
    response = gateway.api.request("POST", "/v1/requests", token=gateway.token, content=largest)
    assert response.status_code == 200
    for path, media_type in (("/v1/requests", "application/json"), (EVENTS, ONE)):
        response = gateway.api.request(
            "POST",
            path,
            token=gateway.token,
            content=largest + b" ",
            headers={"Content-Type": media_type},
        )
        assert (response.status_code, response.json()["code"]) == (413, 41301)
        assert str(BODY_BYTES_MAX) in response.json()["message"]


def test_a_body_that_does_not_tell_its_length_is_read_no_further_than_the_bound(
    gateway: Gateway,
) -> None:
    sent_bytes = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent_bytes
        while True:
            sent_bytes += 1024 * 1024
            yield b" " * 1024 * 1024

    async def post() -> int:
        headers = {"Authorization": f"Bearer {gateway.token}", "Content-Type": "application/json"}
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/requests",
            "raw_path": b"/v1/requests",
            "query_string": b"",
            "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()],
        }
        chunks = endless()
        statuses: list[int] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": await anext(chunks), "more_body": True}

        async def send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        await gateway.api.app(scope, receive, send)
        (status,) = statuses
        return status

    assert gateway.api.run(post()) == 413
    assert sent_bytes <= BODY_BYTES_MAX + 1024 * 1024


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", 40002),
        (b"{", 40002),
        (b"\xff", 40002),
        (b"[]", 40001),
        (b"{}", 40003),
        (b'{"requests": {}}', 40004),
        (b'{"requests": null}', 40004),
        (b'{"requests": [], "more": 1}', 42202),
        (b'{"requests": [{"id": "\\ud800"}]}', 40002),
        (b'{"requests": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}", 40002),
    ],
)
def test_what_is_no_batch_is_refused_whole(gateway: Gateway, content: bytes, code: int) -> None:
    response = gateway.api.request("POST", "/v1/requests", token=gateway.token, content=content)
    assert (response.status_code, response.json()["code"]) == (code // 100, code), response.text


def test_another_media_type_is_415(gateway: Gateway) -> None:
    for media_type in ("text/plain", "application/x-www-form-urlencoded", MANY):
        response = gateway.send(gateway.row(), headers={"Content-Type": media_type})
        assert (response.status_code, response.json()["code"]) == (415, 41501)
    told = gateway.report(gateway.row(), headers={"Content-Type": "Application/JSON; charset=x"})
    assert told["accepted"] == 1

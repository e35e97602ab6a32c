"""CloudEvents in binary mode: attributes in headers, the data as the body."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.metering.gateway import CREDIT, EVENTS, ONE, Gateway

JSON = "application/json"


def emit(gateway: Gateway, body: object = None, **attributes: str) -> httpx.Response:
    """The answer to an event in binary mode; an empty attribute is left out."""
    told = {
        "specversion": "1.0",
        "id": "1",
        "source": "gateway-1",
        "type": "people_search",
        "subject": gateway.key_id,
        **attributes,
    }
    headers = {f"ce-{name}": value for name, value in told.items() if value}
    if body is not None:
        headers["Content-Type"] = JSON
    return gateway.api.request("POST", EVENTS, token=gateway.token, body=body, headers=headers)


def reason(response: httpx.Response) -> tuple[int, str]:
    """Why an event was refused."""
    assert response.status_code == 400, response.text
    (rejected,) = response.json()["details"]["rejected"]
    return rejected["code"], rejected["message"]


@pytest.mark.parametrize("body", [None, {}, {"status_code": 201, "credits": 2, "other": 1}])
def test_an_event_is_taken_with_and_without_data(gateway: Gateway, body: Any) -> None:  # noqa: ANN401 - any JSON
    response = emit(gateway, body)
    assert (response.status_code, response.content) == (204, b"")
    credits = 2 if body else 3
    assert gateway.logged("credits_micro") == [(credits * CREDIT,)]


def test_the_same_event_in_structured_mode_is_a_repeat(gateway: Gateway) -> None:
    stamp = gateway.stamp()
    assert emit(gateway, {"status_code": 200}, time=stamp, traceparent="00-1").status_code == 204
    gateway.emitted(gateway.event(data={"status_code": 200}, time=stamp))
    assert gateway.counted()[0][:2] == (1, 1)
    assert 'outcome="duplicate"} 1.0' in gateway.api.request("GET", "/metrics").text


def test_attributes_are_decoded_as_in_a_url(gateway: Gateway) -> None:
    assert emit(gateway, id="%E2%82%AC%201%25").status_code == 204
    assert emit(gateway, id='"\\"quoted\\""').status_code == 204
    gateway.emitted(gateway.event(id="\u20ac 1%"), gateway.event(id='"quoted"'))
    assert gateway.counted()[0][:2] == (2, 2)


@pytest.mark.parametrize(
    ("attributes", "code", "words"),
    [
        ({"specversion": "0.3"}, 40004, "'specversion' must be one of 1.0"),
        ({"id": ""}, 40003, "'id' is required"),
        ({"source": ""}, 40003, "'source' is required"),
        ({"type": ""}, 40003, "'type' is required"),
        ({"type": "gone"}, 42205, "'type' names no log type: 'gone'"),
        ({"subject": ""}, 40003, "'subject' is required"),
        ({"subject": "key_of_no_one"}, 42204, "'subject' names no API key"),
        ({"time": "now"}, 42201, "'time' must be an RFC 3339 time"),
    ],
)
def test_a_bad_attribute_is_named(
    gateway: Gateway, attributes: dict[str, str], code: int, words: str
) -> None:
    told_code, message = reason(emit(gateway, **attributes))
    assert told_code == code
    assert words in message
    assert gateway.counted()[0][:2] == (0, 0)


def test_bad_data_is_named(gateway: Gateway) -> None:
    assert reason(emit(gateway, {"status_code": 7}))[0] == 40004
    assert reason(emit(gateway, []))[1] == "The field 'data' must be an object."


@pytest.mark.parametrize(
    ("headers", "content", "code"),
    [
        ({"ce-id": "%FF"}, b"", 40004),
        ({"ce-data": "{}"}, b"", 40001),
        ({"Content-Type": "text/plain"}, b"{}", 41501),
        ({"Content-Type": JSON}, b"{", 40002),
    ],
)
def test_what_can_not_be_read_is_refused_whole(
    gateway: Gateway, headers: dict[str, str], content: bytes, code: int
) -> None:
    headers = {"ce-specversion": "1.0", **headers}
    response = gateway.api.request(
        "POST", EVENTS, token=gateway.token, content=content, headers=headers
    )
    assert (response.status_code, response.json()["code"]) == (code // 100, code)


def test_without_a_version_in_the_headers_it_is_no_binary_event(gateway: Gateway) -> None:
    assert emit(gateway, specversion="").status_code == 415
    (told,) = {reason(emit(gateway, {}, specversion=""))}
    assert told == (40003, "The field 'specversion' is required.")


def test_a_structured_body_goes_before_attributes_in_headers(gateway: Gateway) -> None:
    headers = {"ce-specversion": "1.0", "ce-id": "other"}
    assert gateway.emit(gateway.event(), ONE, headers=headers).status_code == 204
    gateway.emitted(gateway.event())
    assert gateway.counted()[0][:2] == (1, 1)

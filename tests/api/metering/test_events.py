"""CloudEvents: the forms they come in, what is taken of them, and what is told of the refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.metering.gateway import CREDIT, EVENTS, MANY, ONE, Gateway
from tests.support.api import exact

JSON = "application/json"


def rejections(gateway: Gateway, *events: object, **more: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - as `Gateway.emit`
    """Why events were refused; the others were recorded."""
    response = gateway.emit(events, MANY, **more)
    assert response.status_code == 400, response.text
    answer = exact(response)
    assert answer.keys() == {"code", "message", "details"}
    assert answer["code"] == 40009
    details = answer["details"]
    rejected: list[dict[str, Any]] = details.pop("rejected")
    assert set(details) == {"accepted", "duplicates", "conflicts"}
    assert sum(details.values()) + len(rejected) == len(events)
    return rejected


@pytest.mark.parametrize(
    ("media_type", "is_list"),
    [
        (ONE, False),
        (MANY, True),
        (JSON, True),
        (JSON, False),
        (f"{ONE}; charset=UTF-8", False),
        (f"{MANY}; charset=UTF-8", True),
        ("Application/CloudEvents+JSON", False),
    ],
)
def test_every_form_is_taken_and_the_same_event_in_another_is_a_repeat(
    gateway: Gateway, media_type: str, *, is_list: bool
) -> None:
    event = gateway.event(data={"status_code": 200})
    for _ in range(2):
        response = gateway.emit([event] if is_list else event, media_type)
        assert (response.status_code, response.content) == (204, b"")
    gateway.emitted(event)
    assert gateway.counted()[0][:4] == (1, 1, 1, 3 * CREDIT)
    assert gateway.api.request("GET", "/metrics").text.count('outcome="conflict"') == 0


def test_a_pretty_list_is_a_list(gateway: Gateway) -> None:
    headers = {"Content-Type": JSON}
    response = gateway.api.request(
        "POST", EVENTS, token=gateway.token, content=b" \n[\n]", headers=headers
    )
    assert response.status_code == 204


def test_all_that_an_event_tells_is_recorded(gateway: Gateway) -> None:
    data = {
        "credits": 1.5,
        "method": "get",
        "path": "/people/search?q=x",
        "status_code": 201,
        "duration_ms": 7,
        "response_size": 8,
        "ip": "192.0.2.7",
        "channel": "portal",
    }
    gateway.emitted(gateway.event(time="2026-05-05T11:00:00.5Z", data=data))
    columns = "time_ms, key_id, log_type_id, channel, credits_micro, method, path, status_code"
    assert gateway.logged(columns + ", duration_ms, response_size, ip") == [
        (
            1_777_978_800_500,
            gateway.key_id,
            gateway.search,
            "portal",
            1_500_000,
            "GET",
            "/people/search",
            201,
            7,
            8,
            "192.0.2.7",
        )
    ]


def test_an_event_may_tell_nothing_but_what_it_must(gateway: Gateway) -> None:
    gateway.emitted(
        gateway.event(id="1"),
        gateway.event(id="2", time=None, data=None, datacontenttype=None, dataschema=None),
        gateway.event(id="3", data={}, datacontenttype="application/json"),
        gateway.event(id="4", type="__unknown__"),
    )
    assert sorted(gateway.logged("time_ms, credits_micro")) == sorted(
        (gateway.harness.now_ms, credits_micro) for credits_micro in (0, *[3 * CREDIT] * 3)
    )


def test_a_failed_request_is_free(gateway: Gateway) -> None:
    gateway.emitted(gateway.event(data={"status_code": 500}))
    assert gateway.logged("credits_micro") == [(0,)]


def test_extension_attributes_and_other_data_are_ignored(gateway: Gateway) -> None:
    """As by the vendor whose clients send them; they are no content either."""
    event = gateway.event(data={"method": "GET", "route": "/hello", "tokens": {"n": [1]}})
    gateway.emitted({**event, "traceparent": "00-1", "comext": 7, "ext": None})
    gateway.emitted({**event, "traceparent": "00-2", "data": {"method": "GET", "tokens": 5}})
    assert gateway.counted()[0][:2] == (1, 1)


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"absent": "specversion"}, 40003, "'specversion' is required"),
        ({"specversion": "0.3"}, 40004, "'specversion' must be one of 1.0"),
        ({"specversion": 1.0}, 40004, "'specversion' must be"),
        ({"absent": "id"}, 40003, "'id' is required"),
        ({"id": ""}, 40004, "'id' must be a string of 1 characters or more"),
        ({"absent": "source"}, 40003, "'source' is required"),
        ({"source": ""}, 40004, "'source' must be a string of 1 characters or more"),
        ({"absent": "type"}, 40003, "'type' is required"),
        ({"type": "gone"}, 42205, "'type' names no log type: 'gone'"),
        ({"type": ""}, 42205, "'type' names no log type: ''"),
        ({"absent": "subject"}, 40003, "'subject' is required"),
        ({"subject": None}, 40004, "'subject' must be a string"),
        ({"subject": "key_of_no_one"}, 42204, "'subject' names no API key"),
        ({"time": "yesterday"}, 42201, "'time' must be an RFC 3339 time"),
        ({"time": "2020-01-01T00:00:00Z"}, 42206, "'time' must be at most 35 days back"),
        ({"data": "text"}, 40004, "'data' must be an object"),
        ({"data": []}, 40004, "'data' must be an object"),
        ({"data_base64": "e30="}, 40004, "'data' must be an object"),
        ({"data": {"status_code": "200"}}, 40004, "'data.status_code' must be an integer"),
        ({"data": {"channel": "self"}}, 40004, "'data.channel' must be one of api, portal"),
        ({"data": {"ip": "1.2.3"}}, 42201, "'data.ip' must be an IP address"),
        ({"data": {"credits": -1}}, 42201, "'data.credits' must be a number of credits"),
    ],
)
def test_a_bad_event_is_told_what_would_be_right_and_spoils_no_other(
    gateway: Gateway, fields: dict[str, Any], code: int, words: str
) -> None:
    bad = gateway.event(**fields)
    (reason,) = gateway.emit(bad).json()["details"]["rejected"]
    assert reason.keys() == {"index", "code", "message"}
    assert (reason["index"], reason["code"]) == (0, code)
    assert words in reason["message"]
    for _ in range(2):
        assert rejections(gateway, gateway.event(id="good"), bad) == [{**reason, "index": 1}]
    assert gateway.counted()[0][:2] == (1, 1)


def test_the_answer_counts_all_outcomes_and_names_each_that_was_refused(gateway: Gateway) -> None:
    gateway.emitted(gateway.event(id="old"))
    events = [
        gateway.event(id="old"),
        gateway.event(id="old", data={"credits": 1}),
        gateway.event(id="new"),
        *(gateway.event(id=f"bad-{n}", type="gone") for n in range(150)),
        7,
    ]
    response = gateway.emit(events, MANY)
    answer = response.json()
    assert answer["message"] == "151 of 154 events were rejected; see 'details'."
    details = answer["details"]
    rejected = details.pop("rejected")
    assert details == {"accepted": 1, "duplicates": 1, "conflicts": 1}
    assert [r["index"] for r in rejected] == list(range(3, 154))
    assert gateway.counted()[0][:2] == (2, 2)


def test_the_reasons_are_in_the_language_of_the_reader(gateway: Gateway) -> None:
    told = {
        (response.json()["message"], response.json()["details"]["rejected"][0]["message"])
        for language in ("en", "zh-CN", "ko", "ja")
        for response in [gateway.emit(gateway.event(type="gone"), language=language)]
    }
    assert len({message for message, _ in told}) == 4
    assert len({reason for _, reason in told}) == 4
    assert all("type" in reason and "gone" in reason for _, reason in told)


def test_a_conflict_is_no_error_of_the_call_but_is_logged_and_counted(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.emitted(gateway.event())
    gateway.emitted(gateway.event(data={"credits": 1}))
    assert gateway.logged("credits_micro") == [(3 * CREDIT,)]
    assert 'farebox_requests_total{outcome="conflict"} 1.0' in (
        gateway.api.request("GET", "/metrics").text
    )
    assert "1 rows conflict with recorded ones" in caplog.text


def test_headers_and_bodies_are_no_content(gateway: Gateway) -> None:
    gateway.emitted(gateway.event(data={"status_code": 200}))
    gateway.emitted(gateway.event(data={"status_code": 200, "request_body": "x"}))
    assert len(rejections(gateway, gateway.event(data={"request_headers": 1}))) == 1
    assert "conflict" not in gateway.api.request("GET", "/metrics").text.replace(
        "accepted, duplicate, conflict or rejected", ""
    )


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/xml", "application/avro"])
def test_another_media_type_is_415_and_told_which_are_right(
    gateway: Gateway, media_type: str
) -> None:
    response = gateway.emit(gateway.event(), media_type)
    assert (response.status_code, response.json()["code"]) == (415, 41501)
    for right in (ONE, MANY, JSON):
        assert right in response.json()["message"]


@pytest.mark.parametrize(
    ("media_type", "content", "code"),
    [
        (ONE, b"", 40002),
        (ONE, b"{", 40002),
        (ONE, b"{} {}", 40002),
        (ONE, b"[]", 40009),
        (MANY, b"{}", 40001),
        (MANY, b"", 40002),
        (MANY, b"[{}, ", 40002),
        (JSON, b"", 40002),
        (JSON, b"7", 40009),
        (JSON, b"\xff", 40002),
    ],
)
def test_what_is_no_event_is_400(
    gateway: Gateway, media_type: str, content: bytes, code: int
) -> None:
    headers = {"Content-Type": media_type}
    response = gateway.api.request(
        "POST", EVENTS, token=gateway.token, content=content, headers=headers
    )
    assert (response.status_code, response.json()["code"]) == (400, code), response.text

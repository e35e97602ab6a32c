"""Rows: each gets its own outcome, is known by its identity, and is compared as it was sent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.metering.gateway import CREDIT, Gateway

NOTHING: dict[str, Any] = {"accepted": 0, "duplicates": 0, "conflicts": [], "rejected": []}


def test_each_row_gets_its_outcome_by_its_index(gateway: Gateway) -> None:
    row = gateway.row
    assert gateway.report(row(id="a"), row(id="b")) == {**NOTHING, "accepted": 2}
    told = gateway.report(
        row(id="a"),
        row(id="new"),
        row(id="b", credits=7),
        row(id="x", log_type="nothing"),
        row(id="new"),
        row(id="new", status_code=200),
        row(id="y", credits=-1),
        7,
    )
    assert (told["accepted"], told["duplicates"]) == (1, 2)
    assert told["conflicts"] == [{"index": 2, "id": "b"}, {"index": 5, "id": "new"}]
    assert [(r["index"], r["code"]) for r in told["rejected"]] == [
        (3, 42205),
        (6, 42201),
        (7, 40001),
    ]
    assert gateway.logged("credits_micro") == [(3 * CREDIT,)] * 3


def test_what_was_accepted_is_counted_once_in_everything(gateway: Gateway) -> None:
    assert gateway.report(gateway.row(), gateway.row(id="2"))["accepted"] == 2
    counted = gateway.counted()
    assert counted[0][:4] == (2, 2, 2, 6 * CREDIT)
    for _ in range(3):
        assert gateway.report(gateway.row(), gateway.row(id="2"))["duplicates"] == 2
        assert len(gateway.report(gateway.row(credits=1))["conflicts"]) == 1
    assert gateway.counted() == counted


def test_a_request_is_in_the_customers_log_and_quotas(gateway: Gateway) -> None:
    gateway.report(
        gateway.row(
            source="gateway-1",
            time="2026-05-05T13:00:00.25+02:00",
            method="post",
            path="/people/search?token=x",
            status_code=201,
            duration_ms=12,
            response_size=345,
            ip="2001:DB8::1",
            channel="portal",
        )
    )
    data = gateway.api.data("/api_keys/logs", gateway.key)
    (log,) = data["query_logs"]
    assert {
        "created_at": "2026-05-05 11:00:00.250",
        "profile_id": gateway.profile_id,
        "method": "POST",
        "path": "/people/search",
        "status_code": 201,
        "duration_ms": 12,
        "response_size": 345,
        "ip": "2001:db8::1",
        "log_type_slug": "people_search",
        "credits": 3,
        "authentication_type": None,
    }.items() <= log.items()
    usage = gateway.api.data("/profile/usage", gateway.key)
    assert (usage["portal_monthly_usage"], usage["api_monthly_usage"]) == (1, 0)
    assert gateway.api.request("GET", "/v1/quotas", key=gateway.key).json()["credits_used"] == 3


def test_the_message_is_in_the_language_of_the_reader(gateway: Gateway) -> None:
    told = {
        gateway.refusal(gateway.row(log_type="gone"), language=language)
        for language in ("en", "zh-CN", "ko", "ja")
    }
    assert {code for code, _ in told} == {42205}
    messages = {message for _, message in told}
    assert len(messages) == 4
    assert "The field 'log_type' names no log type: 'gone'." in messages
    assert all("log_type" in message and "gone" in message for message in messages)


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"absent": "id"}, 40003, "'id'"),
        ({"id": ""}, 40004, "'id' must be a string of 1 characters or more"),
        ({"id": "x" * 1025}, 40004, "'id' must be a string of 1024 characters or less"),
        ({"id": 1}, 40004, "'id' must be a string"),
        ({"source": None}, 40004, "'source' must be a string"),
        ({"absent": "key_id"}, 40003, "'key_id' is required"),
        ({"key_id": "key_of_no_one"}, 42204, "'key_id' names no API key"),
        ({"absent": "key_id", "key": "fbx_no_one"}, 42204, "'key' names no API key"),
        ({"log_type": "x" * 65}, 40004, "'log_type' must be a string of 64 characters or less"),
        ({"credits": "many"}, 40004, "'credits' must be a number of credits"),
        ({"credits": -1}, 42201, "'credits' must be a number of credits"),
        ({"credits": 1_000_000_001}, 42201, "'credits' must be a number of credits"),
        ({"time": "2026-05-05 12:00"}, 42201, "'time' must be an RFC 3339 time"),
        ({"time": "2026-05-05T12:00:00"}, 42201, "'time' must be an RFC 3339 time"),
        ({"status_code": 99}, 40004, "'status_code' must be an integer of at least 100"),
        ({"status_code": 600}, 40004, "'status_code' must be an integer of at most 599"),
        ({"status_code": "200"}, 40004, "'status_code' must be an integer"),
        ({"duration_ms": -1}, 40004, "'duration_ms' must be an integer of at least 0"),
        ({"duration_ms": 1.5}, 40004, "'duration_ms' must be an integer"),
        ({"response_size": 10**16}, 40004, "'response_size' must be an integer of at most"),
        ({"ip": "1.2.3"}, 42201, "'ip' must be an IP address"),
        ({"channel": "self"}, 40004, "'channel' must be one of api, portal"),
        ({"channel": "both"}, 40004, "'channel' must be one of api, portal"),
        ({"request_headers": {"a": 1}}, 40004, "'request_headers[...]' must be a string"),
        ({"statuscode": 200}, 42202, "'statuscode' is not known here"),
    ],
)
def test_a_bad_row_is_told_what_would_be_right_and_spoils_no_other(
    gateway: Gateway, fields: dict[str, Any], code: int, words: str
) -> None:
    bad = gateway.row(**fields)
    told_code, message = gateway.refusal(bad)
    assert told_code == code
    assert words in message
    told = gateway.report(gateway.row(id="before"), bad, gateway.row(id="after"))
    assert told["accepted"] == 2
    assert [(r["index"], r["code"]) for r in told["rejected"]] == [(1, code)]


def test_what_a_caller_made_up_comes_back_in_part_only(gateway: Gateway) -> None:
    _, message = gateway.refusal(gateway.row(**{"x" * 10_000: 1}))
    assert len(message) < 200


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"source": ""}),
        ({}, {"time": "2026-05-05T12:00:00.000Z"}),
        ({}, {"credits": 3}),
        ({}, {"channel": "api"}),
        ({}, {"status_code": 200}),
        ({"status_code": 200}, {"status_code": None}),
        ({}, {"method": None}),
        ({"absent": "log_type"}, {"log_type": None}),
        ({"credits": 1.5}, {"credits": "1.50"}),
        ({"path": "/a?b=1"}, {"path": "/a?b=2"}),
    ],
)
def test_content_is_compared_as_it_was_sent_and_absent_is_not_the_default(
    gateway: Gateway, first: dict[str, Any], second: dict[str, Any]
) -> None:
    for one, other, request_id in ((first, second, "1"), (second, first, "2")):
        assert gateway.report(gateway.row(id=request_id, **one))["accepted"] == 1
        assert gateway.report(gateway.row(id=request_id, **one))["duplicates"] == 1
        told = gateway.report(gateway.row(id=request_id, **other))
        assert told["conflicts"] == [{"index": 0, "id": request_id}]


def test_the_order_of_fields_is_no_content(gateway: Gateway) -> None:
    row = gateway.row(status_code=200, path="/a", credits=2)
    assert gateway.report(row)["accepted"] == 1
    assert gateway.report(dict(reversed(row.items())))["duplicates"] == 1


def test_headers_and_bodies_are_no_content(gateway: Gateway) -> None:
    assert gateway.report(gateway.row())["accepted"] == 1
    for more in (
        {"request_headers": {"a": "b"}},
        {"request_body": "x"},
        {"response_body": "y", "request_headers": None},
    ):
        assert gateway.report(gateway.row(**more))["duplicates"] == 1


def test_a_key_may_be_named_by_its_secret_its_id_or_both(gateway: Gateway) -> None:
    by_secret = gateway.row(id="a", absent="key_id", key=gateway.key)
    by_both = gateway.row(id="b", key=gateway.key)
    assert gateway.report(gateway.row(), by_secret, by_both)["accepted"] == 3
    assert gateway.logged("key_id") == [(gateway.key_id,)] * 3
    # It is the sender's matter which; the same request is sent again as it was.
    assert gateway.report(gateway.row(id="a"))["conflicts"] == [{"index": 0, "id": "a"}]


def test_an_id_and_a_secret_of_two_keys_are_no_key(gateway: Gateway) -> None:
    other_id, _ = gateway.make_key(gateway.profile_id)
    code, message = gateway.refusal(gateway.row(key_id=other_id, key=gateway.key))
    assert (code, message) == (42204, "The field 'key' names no API key.")


def test_usage_of_a_key_that_has_ended_is_recorded_since_it_has_happened(gateway: Gateway) -> None:
    gateway.harness.call("keys.revoke", profile_id=gateway.profile_id, key_id=gateway.key_id)
    assert gateway.report(gateway.row(absent="key_id", key=gateway.key))["accepted"] == 1


def test_an_identity_is_of_its_workspace_and_source(gateway: Gateway) -> None:
    other_id, _ = gateway.make_key(gateway.harness.workspace(name="Other"))
    told = gateway.report(
        gateway.row(),
        gateway.row(key_id=other_id),
        gateway.row(source="a"),
        gateway.row(source="b"),
        gateway.row(id="ID"),
        gateway.row(id="id"),
    )
    assert told == {**NOTHING, "accepted": 6}


def test_what_was_made_a_moment_ago_elsewhere_is_known(gateway: Gateway) -> None:
    gateway.report(gateway.row())  # the server's memory is fresh now
    key_id, _ = gateway.make_key(gateway.profile_id)
    gateway.harness.log_type("company_search", credits=1)
    told = gateway.report(
        gateway.row(id="2", key_id=key_id), gateway.row(id="3", log_type="company_search")
    )
    assert told == {**NOTHING, "accepted": 2}


def test_the_channel_is_that_of_the_key_unless_it_is_told(gateway: Gateway) -> None:
    portal_id, _ = gateway.make_key(gateway.profile_id, channel="portal")
    gateway.report(
        gateway.row(id="a"),
        gateway.row(id="b", channel="portal"),
        gateway.row(id="c", key_id=portal_id),
        gateway.row(id="d", key_id=portal_id, channel="api"),
    )
    logged = gateway.logged("key_id, channel")
    assert sorted(logged) == sorted(
        [
            (gateway.key_id, "api"),
            (gateway.key_id, "portal"),
            (portal_id, "portal"),
            (portal_id, "api"),
        ]
    )


def test_no_rows_are_no_error(gateway: Gateway) -> None:
    before = gateway.counted()
    assert gateway.report() == NOTHING
    assert gateway.counted() == before


def test_metrics_count_the_outcomes(gateway: Gateway) -> None:
    gateway.report(gateway.row(), gateway.row(), gateway.row(credits=1), gateway.row(id=""))
    told = gateway.api.request("GET", "/metrics").text
    for outcome in ("accepted", "duplicate", "conflict", "rejected"):
        assert f'farebox_requests_total{{outcome="{outcome}"}} 1.0' in told

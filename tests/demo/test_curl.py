"""Tests of the printed lines: every endpoint of the customer has one, safe to paste."""

from __future__ import annotations

import json
import shlex

from farebox.contract.operations import OPERATIONS
from farebox.core.instant import parse_rfc3339
from farebox.core.key import Secret
from farebox.demo.curl import Curl, Line
from farebox.demo.endpoints import ENDPOINTS
from farebox.demo.people import contact
from farebox.demo.world import World
from farebox.service.forms.link import LinkBegun

URL = "http://127.0.0.1:8080"
WORLD = World(
    profile_id=1,
    key_id="key_5hZ0c2rWq8Lm",
    key=Secret("it's a key"),
    admin_token=Secret("fbt_token"),
    link=LinkBegun(
        link_id="link_1",
        profile_id=1,
        role="manage",
        made_ms=0,
        expires_ms=1,
        session_epoch="",
        is_new=True,
    ),
    query_log_id="a-log-id",
    requests=9,
)
# Half past eleven at night in UTC is the next day in Berlin already.
NOW_MS = parse_rfc3339("2026-05-14T23:30:00Z")
CURL = Curl(URL, WORLD, "x-api-key", NOW_MS)


def path_of(line: Line) -> str:
    (url,) = (word for word in shlex.split(line.command) if word.startswith(URL))
    return url.removeprefix(URL)


def body_of(line: Line) -> object:
    words = shlex.split(line.command)
    return json.loads(words[words.index("-d") + 1])


def test_every_customer_endpoint_has_one_line() -> None:
    paths = [operation.path for operation in OPERATIONS if operation.audience == "customer"]
    assert [path_of(line) for line in CURL.customer()] == paths


def test_the_gate_both_ways_of_reporting_and_each_sample_endpoint_have_one() -> None:
    assert [path_of(line) for line in CURL.metering()] == [
        "/v1/authorize",
        "/v1/requests",
        "/api/v1/events",
    ]
    assert [path_of(line) for line in CURL.sample()] == [f"/sample{e.path}" for e in ENDPOINTS]


def test_customers_lines_carry_the_key_and_metering_lines_the_token() -> None:
    for line in [*CURL.customer(), *CURL.sample()]:
        assert "x-api-key: it's a key" in shlex.split(line.command)
    for line in CURL.metering():
        assert "Authorization: Bearer fbt_token" in shlex.split(line.command)


def test_reports_are_of_the_last_fourteen_days_of_the_workspace() -> None:
    (daily,) = (line for line in CURL.customer() if path_of(line) == "/api_keys/usage/daily")
    assert body_of(daily) == {"start_date": "2026-05-02", "end_date": "2026-05-15"}


def test_the_person_redeemed_has_a_phone_number() -> None:
    redeem = body_of(CURL.sample()[2])
    assert isinstance(redeem, dict)
    assert contact(redeem["person_id"]).phone

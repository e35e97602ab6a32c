"""The fast lane answers as the route does, and leaves to it whatever isn't usual."""

from __future__ import annotations

import json
from typing import Any

import pytest

from farebox.api.fast_lane import FastLane
from tests.api.gate.till import PATH, Till


@pytest.fixture
def routes(till: Till, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that came to the routes."""
    app = till.api.app
    assert isinstance(app.hot, FastLane)
    inner, seen = app.hot._routes, []

    async def noting(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - as ASGI
        seen.append(scope["path"])
        await inner(scope, receive, send)

    monkeypatch.setattr(app.hot, "_routes", noting)
    return seen


def told(till: Till, **fields: object) -> tuple[str, bytes]:
    body = {"key": till.key, "method": "POST", "path": PATH, **fields}
    response = till.ask("/v1/authorize", body)
    assert response.status_code == 200
    return response.headers["content-type"], response.content


@pytest.mark.parametrize("credits", [0, 3, 0.000001, 12.5])
def test_both_ways_answer_the_same_bytes(
    till: Till, routes: list[str], monkeypatch: pytest.MonkeyPatch, credits: float
) -> None:
    fast = told(till, id="call-1", credits=credits)
    assert routes == []
    monkeypatch.setattr(till.api.app, "hot", None)
    assert told(till, id="call-1", credits=credits) == fast


def test_both_ways_refuse_alike(
    till: Till, routes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = told(till, credits=101)
    assert routes == []
    monkeypatch.setattr(till.api.app, "hot", None)
    assert told(till, credits=101) == fast


def test_a_call_without_an_id_is_a_new_one_however_often_it_comes(
    till: Till, routes: list[str]
) -> None:
    ids = {json.loads(told(till)[1])["reservation_id"] for _ in range(5)}
    assert len(ids) == 5
    assert routes == []
    assert json.loads(told(till)[1])["denied_by"] == "hour"


@pytest.mark.parametrize(
    "more",
    [
        {"token": "fbt_no_token_of_anyone"},
        {"body": {"key": "fbx_no_key_of_anyone"}},
        {"body": {"nothing": 1}},
        {"content": b"{", "body": None},
        {"headers": {"Content-Type": "text/plain"}},
    ],
)
def test_what_is_not_usual_is_left_to_the_route(
    till: Till, routes: list[str], more: dict[str, Any]
) -> None:
    body = more.pop("body", {"key": till.key, "method": "POST", "path": PATH})
    till.ask("/v1/authorize", body, **more)
    assert routes == ["/v1/authorize"]


def test_a_token_and_a_key_end_in_the_fast_lane_too(till: Till, routes: list[str]) -> None:
    told(till)
    till.harness.call("keys.revoke", profile_id=till.profile_id, key_id=till.key_id)
    till.catch_up()
    assert json.loads(told(till)[1])["status"] == 401
    tokens = till.harness.select("select token_id from tokens where name = 'Till'")
    till.harness.call("tokens.revoke", token_id=tokens[0][0])
    till.catch_up()
    assert till.ask("/v1/authorize", {"key": till.key, "path": PATH}).status_code == 401
    assert routes == ["/v1/authorize"]


def test_a_limit_is_told_as_it_is_since_the_plan_was_changed(till: Till, routes: list[str]) -> None:
    def hour() -> object:
        limits = json.loads(told(till)[1])["limits"]
        return next(limit["limit"] for limit in limits if limit["name"] == "hour")

    assert hour() == 5
    till.harness.call("plans.change", slug="gold", limits={"api": {"hour": 50, "month": 1000}})
    till.catch_up()
    assert hour() == 50
    assert routes == []


def test_a_body_that_comes_late_is_not_decided_by_what_was_known_before(
    till: Till, routes: list[str]
) -> None:
    body = json.dumps({"key": till.key, "method": "POST", "path": PATH}).encode()
    token = f"Bearer {till.token}".encode()
    follower = till.api.context.follower

    async def slow() -> Any:  # noqa: ANN401 - as ASGI
        follower._fresh_since = float("-inf")
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:  # noqa: ANN401 - as ASGI
        pass

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/authorize",
        "raw_path": b"/v1/authorize",
        "query_string": b"",
        "headers": [(b"authorization", token), (b"content-type", b"application/json")],
    }

    async def call() -> None:
        assert till.api.app.hot is not None
        await till.api.app.hot(scope, slow, send)

    till.api.run(call())
    assert routes == ["/v1/authorize"]

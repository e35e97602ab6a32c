"""nginx with the shipped recipe: what reaches the caller, and that each line of its log counts.

The real nginx of the machine stands before a sample API and asks a real server of Farebox.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, cast

import http_sf
import httpx
import pytest

from tests.gateways.lossy import LossyWay
from tests.gateways.nginx import Line, Nginx
from tests.gateways.shop import CREDITS, MONTH, PLANS, Shop, becomes
from tests.gateways.upstream import SampleApi
from tests.support.server import RunningServer

CALLERS = 64
CALLS_EACH = 20
UNKNOWN_KEY = "no-key-of-anybody-at-all"
SECONDS_MONTH_MAX = 31 * 86_400 + 3_600


class Scene(NamedTuple):
    """All that plays along."""

    server: RunningServer
    shop: Shop
    api: SampleApi
    nginx: Nginx
    client: httpx.Client

    def call(self, name: str, *, method: str = "GET", **headers: str) -> httpx.Response:
        """The answer to a call of a workspace, as its customer gets it."""
        sent = {"X-API-Key": self.shop.of[name].key, **headers}
        return self.client.request(method, f"{self.nginx.url}/people/{name}", headers=sent)


@contextmanager
def scene(folder: Path, settings: dict[str, str]) -> Iterator[Scene]:
    folder.mkdir(exist_ok=True)
    with (
        RunningServer(folder, settings) as server,
        SampleApi() as api,
        Nginx(folder, server.url, api.url) as nginx,
        httpx.Client(timeout=30) as client,
    ):
        yield Scene(server, Shop(server), api, nginx, client)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One for the tests that change nothing for each other."""
    settings = {"FAREBOX_LEGACY_RATE_HEADERS": "on"}
    with scene(tmp_path_factory.mktemp("shared"), settings) as made:
        yield made


def members(value: str) -> dict[str, dict[str, int]]:
    """The members of a list of Structured Fields."""
    parsed = http_sf.parse(value.encode(), tltype="list")
    return {name: dict(told) for name, told in cast("list[tuple[str, dict[str, int]]]", parsed)}


def test_an_admitted_call_reaches_the_api_and_both_are_told_what_they_need(shared: Scene) -> None:
    limited = shared.shop.of["limited"]
    answer = shared.call("limited", method="POST", **{"Farebox-Profile-Id": "999"})
    assert answer.status_code == httpx.codes.OK
    assert answer.json() == {"path": "/people/limited"}
    assert members(answer.headers["RateLimit-Policy"]) == {"month": {"q": MONTH}}
    told = members(answer.headers["RateLimit"])["month"]
    assert told["r"] < MONTH
    assert 0 < told["t"] <= SECONDS_MONTH_MAX
    assert answer.headers["X-RateLimit-Limit"] == str(MONTH)
    assert 0 < float(answer.headers["Farebox-Credits-Left"]) < 1_000_000
    assert "Retry-After" not in answer.headers
    seen = shared.api.seen[-1]
    assert (seen.method, seen.path) == ("POST", "/people/limited")
    assert seen.headers["farebox-profile-id"] == str(limited.profile_id)
    assert seen.headers["farebox-key-id"] == limited.key_id
    assert seen.headers["farebox-user-id"]
    log_id = seen.headers["farebox-query-log-id"]
    # The entry is in the log under that id, as nginx's own line has it.
    becomes(lambda: looked_up(shared, "limited", log_id), httpx.codes.OK)
    becomes(lambda: log_id in {line.query_log_id for line in shared.nginx.lines()}, True)


def looked_up(scene: Scene, name: str, log_id: str) -> int:
    answer = scene.server.client.post(
        f"{scene.server.url}/api_keys/logs/lookup",
        headers={"X-API-Key": scene.shop.of[name].key},
        json={"query_log_id": log_id},
    )
    return answer.status_code


@pytest.mark.parametrize(
    ("path", "key_of", "status", "code"),
    [
        ("/people/nobody", "", 401, 40101),
        ("/people/nobody", UNKNOWN_KEY, 401, 40102),
        ("/people/barred", "barred", 403, 40303),
        ("/elsewhere", "rich", 403, 40304),
        ("/people/%2e%2e/rich", "rich", 400, 40004),
    ],
)
def test_a_refusal_reaches_the_caller_with_its_status_and_body(
    shared: Scene, path: str, key_of: str, status: int, code: int
) -> None:
    workspace = shared.shop.of.get(key_of)
    key = key_of if workspace is None else workspace.key
    asked = len(shared.api.seen)
    request = shared.client.build_request("GET", shared.nginx.url, headers={"X-API-Key": key})
    request.url = request.url.copy_with(raw_path=path.encode())
    answer = shared.client.send(request)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["code"] == code
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    assert "Retry-After" not in answer.headers
    assert len(shared.api.seen) == asked


def test_a_refusal_is_told_in_the_callers_language(shared: Scene) -> None:
    answer = shared.call("barred", **{"Accept-Language": "ko"})
    assert (
        answer.json()["message"] == "워크스페이스의 요금제에는 API 접근이 포함되어 있지 않습니다."
    )
    assert answer.headers["Content-Language"] == "ko"


def test_what_is_used_up_is_refused_with_402_and_429(tmp_path: Path) -> None:
    with scene(tmp_path, {}) as made:
        for name, units in (("poor", CREDITS), ("limited", MONTH)):
            answers = [made.call(name).status_code for _ in range(units)]
            assert answers == [httpx.codes.OK] * units
        unpaid = made.call("poor")
        assert unpaid.status_code == httpx.codes.PAYMENT_REQUIRED
        assert unpaid.json()["code"] == 40201
        assert unpaid.headers["Farebox-Credits-Left"] == "0"
        too_many = made.call("limited")
        assert too_many.status_code == httpx.codes.TOO_MANY_REQUESTS
        assert too_many.json() == {"error": "The limit 'month' is used up. Please try again later."}
        told = members(too_many.headers["RateLimit"])["month"]
        assert told["r"] == 0
        retry_after = int(too_many.headers["Retry-After"])
        assert told["t"] <= retry_after <= SECONDS_MONTH_MAX
        assert len(made.api.seen) == CREDITS + MONTH


def test_nothing_goes_through_while_farebox_is_away(tmp_path: Path) -> None:
    with scene(tmp_path, {}) as made:
        assert made.call("rich").status_code == httpx.codes.OK
        made.server.stop()
        answer = made.call("rich")
        assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert answer.json()["code"] == 50301
        assert answer.headers["Retry-After"] == "1"
        assert len(made.api.seen) == 1


def test_a_question_whose_answer_was_lost_is_asked_again_and_counted_once(tmp_path: Path) -> None:
    """It asks again by itself where a connection that it had kept was broken."""
    with (
        RunningServer(tmp_path) as server,
        SampleApi() as api,
        LossyWay(server.url) as way,
        Nginx(tmp_path, way.url, api.url) as nginx,
        httpx.Client(timeout=30) as client,
    ):
        made = Scene(server, Shop(server), api, nginx, client)
        assert made.call("rich").status_code == httpx.codes.OK
        way.loses_next = True
        assert made.call("rich").status_code == httpx.codes.OK
        assert way.questions == 3
        assert len(api.seen) == 2
        made.server.stop()  # which records all that waits
        made.server.start()
        assert made.shop.breakdown("rich") == (2, 2)


def test_a_caller_reaches_no_address_of_farebox(shared: Scene) -> None:
    answer = shared.client.get(f"{shared.nginx.url}/farebox-decides")
    assert answer.status_code == httpx.codes.NOT_FOUND


@pytest.mark.slow
@pytest.mark.parametrize("is_waiting", [False, True], ids=["queued", "committed"])
def test_reports_and_refusal_counts_equal_the_access_log(tmp_path: Path, is_waiting: bool) -> None:
    """64 callers at once, of workspaces that have enough, too little, too few, and no access."""
    settings = {"FAREBOX_FORWARD_AUTH_WAIT": "on" if is_waiting else "off"}
    with scene(tmp_path, settings) as made:
        statuses = asyncio.run(call_all(made))
        made.nginx.stop()
        lines = made.nginx.lines()
        assert Counter((name_of(line), line.status) for line in lines) == statuses
        assert statuses["poor", 200] == CREDITS
        assert statuses["limited", 200] == MONTH
        for name in PLANS:
            admitted = [line for line in lines if name_of(line) == name and line.query_log_id]
            assert len(admitted) == statuses[name, 200]
            assert len({line.query_log_id for line in admitted}) == len(admitted)
            # Each call costs one credit.
            expected = (len(admitted), len(admitted))
            becomes(lambda name=name: made.shop.breakdown(name), expected)  # type: ignore[misc] # bound at once
        assert sum(statuses[name, 200] for name in PLANS) == len(made.api.seen)
        reasons = {"poor": ("credits", 402), "limited": ("month", 429), "barred": ("plan", 403)}
        for name, (reason, status) in reasons.items():
            refused = {reason: statuses[name, status]}
            becomes(lambda name=name: made.shop.refusals(name), refused)  # type: ignore[misc] # bound at once
        assert made.shop.refusals("rich") == {}
        assert {status for _, status in statuses} == {200, 401, 402, 403, 429}


def name_of(line: Line) -> str:
    return line.path.rpartition("/")[2]


async def call_all(made: Scene) -> Counter[tuple[str, int]]:
    """What the callers got: how often each status, by the workspace that called."""
    names = [*PLANS, "nobody"]
    statuses: Counter[tuple[str, int]] = Counter()
    limits = httpx.Limits(max_connections=CALLERS, max_keepalive_connections=CALLERS)

    async def call_often(client: httpx.AsyncClient, turn: int) -> None:
        for step in range(CALLS_EACH):
            name = names[(turn + step) % len(names)]
            key = UNKNOWN_KEY if name == "nobody" else made.shop.of[name].key
            url = f"{made.nginx.url}/people/{name}"
            answer = await client.get(url, headers={"X-API-Key": key})
            statuses[name, answer.status_code] += 1

    # When one fails the others end before their connections do, and the failure is told.
    async with (
        httpx.AsyncClient(limits=limits, timeout=60) as client,
        asyncio.TaskGroup() as callers,
    ):
        for turn in range(CALLERS):
            callers.create_task(call_often(client, turn))
    return statuses

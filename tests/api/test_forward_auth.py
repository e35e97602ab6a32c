"""Forward authentication: what each gateway is answered, and what is recorded of what passes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from farebox.core.identity import parse_uuid
from tests.support.api import Api
from tests.support.harness import START_MS, Harness

IP = "198.51.100.7"
PATH = "/people/search"
NGINX, TRAEFIK, ENVOY = "nginx", "traefik", "envoy"
CREDITS_MICRO = 3_000_000
# Of the customer's calls, 1,000 may pass by each of these.
UNITS = 1_000
CALLERS = 64


class Told(NamedTuple):
    """The answer that a caller gets in the end, and what its gateway was answered."""

    status: int
    body: bytes
    headers: httpx.Headers
    answered: int

    @property
    def code(self) -> int:
        """The error code."""
        code: int = httpx.Response(200, content=self.body).json()["code"]
        return code


class Gateway:
    """A gateway of some kind before a server with one customer."""

    def __init__(self, api: Api, kind: str, **plan: Any) -> None:  # noqa: ANN401 - as `Harness.call`
        self.api, self.kind, self.harness = api, kind, api.harness
        self.log_type_id = self.harness.log_type(path=PATH)
        fields = {"credits_per_month": 1_000_000, **plan}
        self.harness.call("plans.create", slug="own", name="Own", **fields)
        self.profile_id = self.harness.workspace(plan="own")
        self.key_id, self.key = self.make_key()

    def make_key(self, **fields: Any) -> tuple[str, str]:  # noqa: ANN401 - as `Harness.call`
        """The id and secret of a new key of the customer."""
        made = self.harness.call("keys.create", profile_id=self.profile_id, **fields)
        return made.key_id, made.key

    def ask(self, path: str = PATH, *, key: str | None = None, **more: str) -> Told:
        """What comes of a POST to the API."""
        return self.api.run(self.asking(path, key=key, **more))

    async def asking(self, path: str = PATH, *, key: str | None = None, **more: str) -> Told:
        """The same, on the server's event loop."""
        headers = {"X-API-Key": self.key if key is None else key, **more}
        match self.kind:
            case "nginx":
                method, address = "GET", "/v1/forward-auth-nginx"
                headers |= {"X-Original-Method": "POST", "X-Original-URI": path, "X-Real-IP": IP}
            case "traefik":
                method, address = "GET", "/v1/forward-auth"
                headers |= {"X-Forwarded-Method": "POST", "X-Forwarded-Uri": path}
                headers |= {"X-Forwarded-For": f"203.0.113.1, {IP}"}
            case _:
                method, address = "POST", f"/v1/forward-auth{path}"
                headers |= {"X-Forwarded-For": IP}
        answer = await self.api._client.request(method, address, headers=headers)
        if self.kind == NGINX and answer.status_code != httpx.codes.OK:
            true = int(answer.headers["Farebox-Status"])
            body = answer.headers["Farebox-Body"].encode("ascii")
            return Told(true, body, answer.headers, answer.status_code)
        return Told(answer.status_code, answer.content, answer.headers, answer.status_code)

    def recorded(self) -> list[tuple[Any, ...]]:
        """What the log has of the customer's calls, once nothing waits any more."""
        self.api.flush()
        return self.harness.select(
            "select query_log_id, log_type_id, credits_micro, method, path, ip, status_code"
            " from requests where profile_id = ? order by query_log_id",
            self.profile_id,
        )


@contextmanager
def behind(
    folder: Path,
    kind: str,
    settings: dict[str, str] | None = None,
    **plan: Any,  # noqa: ANN401 - as `Harness.call`
) -> Iterator[Gateway]:
    with Harness(folder) as harness, Api(harness, settings) as api:
        yield Gateway(api, kind, **plan)


each_kind = pytest.mark.parametrize("kind", [NGINX, TRAEFIK, ENVOY])


@each_kind
def test_what_passes_is_recorded_at_its_price_and_named(tmp_path: Path, kind: str) -> None:
    with behind(tmp_path, kind) as gateway:
        told = gateway.ask(f"{PATH}?page=2")
        assert (told.status, told.body) == (200, b"")
        assert told.headers["Farebox-Profile-Id"] == str(gateway.profile_id)
        assert told.headers["Farebox-Key-Id"] == gateway.key_id
        user = gateway.harness.select("select user_id from keys where key_id = ?", gateway.key_id)
        assert told.headers["Farebox-User-Id"] == user[0][0]
        assert told.headers["Farebox-Credits-Left"] == "999997"
        assert told.headers["Cache-Control"] == "no-store"
        log_id = parse_uuid(told.headers["Farebox-Query-Log-Id"])
        expected = (log_id, gateway.log_type_id, CREDITS_MICRO, "POST", PATH, IP, None)
        assert gateway.recorded() == [expected]


@each_kind
def test_a_refusal_has_the_status_and_code_that_its_caller_is_to_get(
    tmp_path: Path, kind: str
) -> None:
    with behind(tmp_path, kind) as gateway:
        ended_id, ended = gateway.make_key()
        gateway.harness.call("keys.revoke", profile_id=gateway.profile_id, key_id=ended_id)
        _, elsewhere = gateway.make_key(ip_ranges=["203.0.113.0/24"])
        for told, code in (
            (gateway.ask(key=""), 40101),
            (gateway.ask(key="no-key-of-anybody"), 40102),
            (gateway.ask(key=ended), 40102),
            (gateway.ask("/elsewhere"), 40304),
            (gateway.ask(key=elsewhere), 40306),
        ):
            assert told.status == code // 100, code
            assert told.code == code
            assert told.answered in {401, 403}
            assert ("WWW-Authenticate" in told.headers) == (told.status == 401)
            assert "Retry-After" not in told.headers
        gateway.harness.call("workspaces.change", profile_id=gateway.profile_id, status="suspended")
        gateway.api.run(gateway.api.context.follower.catch_up())
        suspended = gateway.ask()
        assert (suspended.status, suspended.code) == (403, 40301)
        assert gateway.recorded() == []


@each_kind
def test_without_credits_it_is_402(tmp_path: Path, kind: str) -> None:
    with behind(tmp_path, kind, credits_per_month=5) as gateway:
        assert gateway.ask().status == 200
        told = gateway.ask()
        assert (told.status, told.code) == (402, 40201)
        assert told.headers["Farebox-Credits-Left"] == "2"
        assert len(gateway.recorded()) == 1


@each_kind
def test_beyond_a_limit_it_is_429_until_the_window_ends(tmp_path: Path, kind: str) -> None:
    with behind(tmp_path, kind, requests_per_minute=2) as gateway:
        gateway.harness.advance(18_500)
        first, second = gateway.ask(), gateway.ask()
        assert first.headers["RateLimit-Policy"] == '"minute";q=2;w=60'
        assert first.headers["RateLimit"] == '"minute";r=1;t=42'
        assert (second.status, second.headers["RateLimit"]) == (200, '"minute";r=0;t=42')
        told = gateway.ask()
        assert (told.status, told.headers["RateLimit"]) == (429, '"minute";r=0;t=42')
        assert told.headers["Retry-After"] == "42"
        assert told.body == b'{"error":"The limit \'minute\' is used up. Please try again later."}'
        gateway.harness.advance(41_500)
        assert gateway.harness.now_ms == START_MS + 60_000
        assert gateway.ask().status == 200
        assert len(gateway.recorded()) == 3


@each_kind
def test_the_older_headers_come_when_they_are_asked_for(tmp_path: Path, kind: str) -> None:
    settings = {"FAREBOX_LEGACY_RATE_HEADERS": "on"}
    with behind(tmp_path, kind, settings, requests_per_minute=2) as gateway:
        for remaining, status in (("1", 200), ("0", 200), ("0", 429)):
            told = gateway.ask()
            assert told.status == status
            assert told.headers["X-RateLimit-Limit"] == "2"
            assert told.headers["X-RateLimit-Remaining"] == remaining
            assert told.headers["X-RateLimit-Reset"] == "60"


@each_kind
def test_a_refusal_is_in_the_callers_language(tmp_path: Path, kind: str) -> None:
    with behind(tmp_path, kind) as gateway:
        told = gateway.ask("/elsewhere", **{"Accept-Language": "zh-CN"})
        message = httpx.Response(200, content=told.body).json()["message"]
        assert message == "此地址不在该工作区的套餐之内。"
        assert told.headers["Content-Language"] == "zh-Hans"


@each_kind
def test_while_the_store_is_gone_nothing_passes_and_nobody_is_blamed(
    tmp_path: Path, kind: str
) -> None:
    with behind(tmp_path, kind) as gateway:
        gateway.api.store.is_gone = True
        told = gateway.ask()
        assert (told.status, told.code) == (503, 50301)
        assert told.headers["Retry-After"] == "1"
        gateway.api.store.is_gone = False
        assert gateway.ask().status == 200
        assert len(gateway.recorded()) == 1


def test_nginx_is_answered_in_what_it_understands(tmp_path: Path) -> None:
    with behind(tmp_path, NGINX, requests_per_minute=0) as gateway:
        answered = {told.status: told.answered for told in (gateway.ask(), gateway.ask(key=""))}
        assert answered == {429: 403, 401: 401}
        wrong = gateway.ask("/people/../search")
        assert (wrong.status, wrong.code, wrong.answered) == (400, 40004, 403)


def test_a_question_that_nginx_repeats_is_counted_once(tmp_path: Path) -> None:
    with behind(tmp_path, NGINX, requests_per_minute=2) as gateway:
        asked = [gateway.ask(**{"X-Request-ID": "a7"}) for _ in range(2)]
        gateway.api.flush()
        asked.append(gateway.ask(**{"X-Request-ID": "a7"}))
        assert {told.status for told in asked} == {200}
        assert {told.headers["RateLimit"] for told in asked} == {'"minute";r=1;t=60'}
        assert len({told.headers["Farebox-Query-Log-Id"] for told in asked}) == 1
        assert gateway.ask(**{"X-Request-ID": "b8"}).status == 200
        assert gateway.ask(**{"X-Request-ID": "c9"}).status == 429
        log_ids = [row[0] for row in gateway.recorded()]
        assert len(log_ids) == 2
        assert parse_uuid(asked[0].headers["Farebox-Query-Log-Id"]) in log_ids


@pytest.mark.parametrize("kind", [TRAEFIK, ENVOY])
def test_a_caller_chooses_no_id(tmp_path: Path, kind: str) -> None:
    with behind(tmp_path, kind) as gateway:
        for _ in range(3):
            assert gateway.ask(**{"X-Request-ID": "a7"}).status == 200
        assert len(gateway.recorded()) == 3


@each_kind
def test_it_answers_after_the_commit_when_it_is_to_wait(tmp_path: Path, kind: str) -> None:
    with behind(tmp_path, kind, {"FAREBOX_FORWARD_AUTH_WAIT": "on"}) as gateway:
        assert gateway.ask().status == 200
        assert gateway.api.context.record_queue.waiting == 0
        assert gateway.harness.select("select count(*) from requests") == [(1,)]


def test_an_unmapped_path_passes_for_nothing_where_the_plan_allows_it(tmp_path: Path) -> None:
    with behind(tmp_path, TRAEFIK, unmapped="allow") as gateway:
        assert gateway.ask("/elsewhere").status == 200
        (row,) = gateway.recorded()
        assert row[1:5] == (0, 0, "POST", "/elsewhere")


def test_a_plan_in_shadow_mode_lets_pass_what_it_would_refuse(tmp_path: Path) -> None:
    with behind(tmp_path, TRAEFIK, requests_per_minute=1, is_shadow=True) as gateway:
        assert [gateway.ask().status for _ in range(3)] == [200] * 3
        assert len(gateway.recorded()) == 3


@pytest.mark.parametrize("kind", [NGINX, TRAEFIK, ENVOY])
@pytest.mark.parametrize(
    ("plan", "status"),
    [({"limits": {"api": {"day": UNITS}}}, 429), ({"credits_per_month": 3 * UNITS}, 402)],
    ids=["day", "credits"],
)
def test_64_callers_at_once_get_exactly_what_there_is(
    tmp_path: Path, kind: str, plan: dict[str, Any], status: int
) -> None:
    with behind(tmp_path, kind, **plan) as gateway:

        async def call_often() -> Counter[int]:
            told = [await gateway.asking() for _ in range(UNITS // CALLERS + 4)]
            return Counter(answer.status for answer in told)

        async def call_all() -> Counter[int]:
            return sum(await asyncio.gather(*(call_often() for _ in range(CALLERS))), Counter())

        statuses = gateway.api.run(call_all())
        assert statuses.keys() == {200, status}
        assert statuses[200] == UNITS
        assert len(gateway.recorded()) == UNITS

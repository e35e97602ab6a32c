"""The WSGI middleware: threads are admitted exactly, and however a call ends, nothing leaks."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec
import pytest

from farebox.core.identity import format_uuid
from farebox.embed import loop_thread
from farebox.embed.numbers import metrics
from tests.embed.market import END_SECONDS_MAX, MICRO, REDEEM, SEARCH, Market
from tests.embed.wsgi_served import Answer, Api, behind, close
from tests.support.recorders import nobody

ONE_A_DAY: dict[str, Any] = {"limits": {"api": {"day": 1}}, "credits_per_month": 3}
FREE = "/free"


class OwnError(Exception):
    """What the app raises."""


def test_an_admitted_call_reaches_the_app_and_is_recorded(market: Market) -> None:
    api, buyer = Api(), market.buyer(limits={"api": {"hour": 10}})
    with behind(market, api) as server:
        api.headers = [("farebox-credits", "12.5"), ("Content-Type", "text/plain")]
        answer = server.call(buyer, REDEEM)
        assert (answer.status, answer.body) == (200, b"12345")
        assert "farebox-credits" not in answer.headers
        assert answer.headers["content-type"] == "text/plain"
        assert answer.headers["ratelimit"].startswith('"hour";r=9;t=')
        (row,) = server.rows(buyer, 1)
        passed = api.calls[0]["farebox"]
        assert (passed.profile_id, passed.key_id) == (buyer.profile_id, buyer.key_id)
        assert passed.query_log_id == format_uuid(row.query_log_id)
        assert (row.status_code, row.response_size) == (200, 5)
        assert (row.credits_micro, row.ip) == (12_500_000, "198.51.100.7")
        api.status, api.headers = "404 Not Found", []
        assert server.call(buyer, REDEEM).status == 404
        assert server.rows(buyer, 2)[1].credits_micro == 0


def test_what_is_refused_never_reaches_the_app(market: Market) -> None:
    api, buyer = Api(), market.buyer(credits_per_month=2)
    limited, barred = market.buyer(**ONE_A_DAY), market.buyer(is_api_access_available=False)
    unknown = buyer._replace(key="fbx_" + "x" * 30)
    with behind(market, api, exclude=["/health"]) as server:
        assert server.call(limited).status == 200
        api.calls.clear()
        for who, path, status in (
            (None, SEARCH, 401),
            (unknown, SEARCH, 401),
            (barred, SEARCH, 403),
            (buyer, "/else", 403),
            (buyer, SEARCH, 402),
            (limited, SEARCH, 429),
            (limited, "/a/../b", 400),
        ):
            answer = server.call(who, path, HTTP_ACCEPT_LANGUAGE="ko")
            assert answer.status == status, answer.body
            assert answer.headers["content-language"] == "ko"
            assert set(answer.json) == (
                {"error"} if status == 429 else {"code", "message", "details"}
            )
            assert ("retry-after" in answer.headers) == (status == 429)
        assert server.call(buyer, QUERY_STRING=f"a={buyer.key}").status == 400
        assert api.calls == []
        assert server.call(None, "/health").status == 200
        server.rows(buyer, 0)
        assert market.refusals(buyer) == {"unmapped": 1, "credits": 1}
        assert market.refusals(limited) == {"day": 1}


def _raises(_environ: WSGIEnvironment, _start: StartResponse) -> Iterable[bytes]:
    raise OwnError


def _raises_midway(_environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    start("200 OK", [("Farebox-Credits", "9")])
    yield b"12345"
    raise OwnError


@pytest.mark.parametrize(("answer", "size"), [(_raises, 0), (_raises_midway, 5)])
def test_a_call_in_which_the_app_raises_is_free_and_told_on(
    market: Market, answer: Callable[..., Iterable[bytes]], size: int
) -> None:
    api, buyer = Api(), market.buyer(**ONE_A_DAY)
    api.answer = answer
    with behind(market, api) as server:
        with pytest.raises(OwnError):
            server.call(buyer)
        (row,) = server.rows(buyer, 1)
        assert (row.status_code, row.credits_micro, row.response_size) == (500, 0, size)
        assert server.call(buyer).status == 429


def test_an_answer_that_is_closed_early_is_settled_as_far_as_it_came(market: Market) -> None:
    api, buyer, closed = Api(), market.buyer(), []

    def streams(_environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        start("200 OK", [])
        try:
            yield b"12345"
            yield b"67"
        finally:
            closed.append(True)

    api.answer = streams
    with behind(market, api) as server:
        parts = server.begin(Answer(), buyer)
        assert next(iter(parts)) == b"12345"
        server.rows(buyer, 0)
        assert server.context.gatekeeper.held(buyer.profile_id).micro == 3 * MICRO
        close(parts)
        (row,) = server.rows(buyer, 1)
        assert (row.response_size, row.credits_micro) == (5, 3 * MICRO)
        close(parts)
        server.rows(buyer, 1)
        assert closed == [True]


def test_an_answer_that_was_never_begun_has_taken_nothing(market: Market) -> None:
    api, buyer = Api(), market.buyer(**ONE_A_DAY)

    def lazy(_environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        start("200 OK", [])
        yield b"12345"

    api.answer = lazy
    with behind(market, api) as server:
        for _ in range(5):
            close(server.begin(Answer(), buyer))
        server.rows(buyer, 0)
        assert server.call(buyer).status == 200
        assert server.call(buyer).status == 429


def test_an_answer_that_no_server_closes_is_settled_when_it_is_dropped(market: Market) -> None:
    api, buyer = Api(), market.buyer(**ONE_A_DAY)
    with behind(market, api) as server:
        parts = server.begin(Answer(), buyer)
        next(iter(parts))
        del parts
        assert len(server.rows(buyer, 1)) == 1


def test_what_is_written_counts_too(market: Market) -> None:
    api, buyer = Api(), market.buyer()

    def writes(_environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        write = start("200 OK", [])
        write(b"123")
        return [b"45"]

    api.answer = writes
    with behind(market, api) as server:
        assert server.call(buyer).body == b"45"
        assert server.rows(buyer, 1)[0].response_size == 5


def test_bodies_are_captured_where_that_is_on(market: Market) -> None:
    api, buyer = Api(), market.buyer()
    with behind(market, api, capture_bodies=True, capture_bytes=60) as server:
        assert server.call(buyer, body="asked " * 20).status == 200
        server.rows(buyer, 1)
    ((headers, request_body, response_body),) = market.captured(buyer)
    assert (request_body, response_body) == (("asked " * 20)[:60], "12345")
    assert buyer.key not in headers


def test_customers_read_their_usage_in_the_same_app(market: Market) -> None:
    api, buyer = Api(), market.buyer()
    with behind(market, api, mount="/farebox") as server:
        for _ in range(3):
            assert server.call(buyer).status == 200
        server.rows(buyer, 3)
        body = msgspec.json.encode(market.today()).decode()
        daily = server.call(
            buyer, "/farebox/api_keys/usage/daily", body=body, CONTENT_TYPE="application/json"
        )
        assert daily.json["data"]["totals"]["requests"] == 3
        quotas = server.call(buyer, "/farebox/v1/quotas", REQUEST_METHOD="GET")
        assert quotas.json["credits_used"] == 9
        assert server.call(None, "/farebox/profile").status == 401
        assert server.call(buyer, "/farebox/v1/authorize").status == 404
        large = server.call(buyer, "/farebox/profile", body="x" * (1024 * 1024 + 1))
        assert large.status == 413
        channels = [row.channel for row in server.rows(buyer, 6)]
    assert channels == ["api"] * 3 + ["self"] * 3


@pytest.mark.parametrize(
    ("plan", "reason"),
    [({"limits": {"api": {"hour": 100}}}, "hour"), ({"credits_per_month": 300}, "credits")],
)
def test_64_threads_at_once_are_admitted_exactly_to_the_limit(
    market: Market, plan: dict[str, Any], reason: str
) -> None:
    api, buyer = Api(), market.buyer(**plan)
    with behind(market, api) as server:
        together = threading.Barrier(64)

        def caller(_: int) -> list[int]:
            together.wait()
            return [server.call(buyer).status for _ in range(4)]

        with ThreadPoolExecutor(64) as pool:
            statuses = [status for four in pool.map(caller, range(64)) for status in four]
        assert statuses.count(200) == len(api.calls) == 100
        assert statuses.count(429 if reason == "hour" else 402) == 4 * 64 - 100
        rows = server.rows(buyer, 100)
        assert len({call["farebox"].query_log_id for call in api.calls}) == 100
    assert sum(row.credits_micro for row in rows) == 300 * MICRO
    assert market.refusals(buyer) == {reason: 4 * 64 - 100}


def test_without_the_store_nothing_is_let_through_and_nothing_is_lost(own_market: Market) -> None:
    api, buyer = Api(), own_market.buyer()
    with behind(own_market, api, mount="/farebox") as server:
        assert server.call(buyer).status == 200
        link = server.context.link
        away = link._process = nobody()
        own_market.kill_recorder()
        answer = server.call(buyer)
        while answer.status == 200:
            answer = server.call(buyer)
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        admitted = len(api.calls)
        assert server.call(buyer).status == 503
        assert len(api.calls) == admitted
        away.end(END_SECONDS_MAX)
        link._process = own_market.process
        own_market.restart()
        assert server.call(buyer).status == 200
        server.rows(buyer, admitted + 1)


def test_the_end_of_an_answer_waits_for_the_commit_where_that_is_on(own_market: Market) -> None:
    api, buyer = Api(), own_market.buyer(unmapped="allow")
    api.parts = [b"12", b"34", b"5"]
    with behind(own_market, api, middleware_wait=True) as server:
        assert server.call(buyer, FREE).body == b"12345"
        assert len(own_market.rows(buyer)) == 1
        pid = own_market.process.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        parts = iter(server.begin(Answer(), buyer, FREE))
        assert [next(parts), next(parts)] == [b"12", b"34"]
        threading.Timer(0.2, os.kill, (pid, signal.SIGCONT)).start()
        assert next(parts) == b"5"
        assert own_market.rows(buyer)[1].response_size == 5
        assert list(parts) == []


@pytest.mark.parametrize("parts", [1, 2])
def test_an_answer_that_can_not_be_recorded_in_time_is_none(
    own_market: Market, monkeypatch: pytest.MonkeyPatch, parts: int
) -> None:
    monkeypatch.setattr("farebox.embed.wsgi.COMMIT_SECONDS_MAX", 0.05)
    api, buyer = Api(), own_market.buyer(unmapped="allow")
    with behind(own_market, api, middleware_wait=True) as server:
        assert server.call(buyer, FREE).status == 200
        api.parts = [b"12345"] * parts
        pid = own_market.process.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            if parts == 1:
                answer = server.call(buyer, FREE)
                assert (answer.status, answer.headers["retry-after"]) == (503, "1")
                assert answer.json["code"] == 50301
            else:
                with pytest.raises(Exception, match="not available"):
                    server.call(buyer, FREE)
        finally:
            os.kill(pid, signal.SIGCONT)
        # It was made, and is recorded all the same.
        server.rows(buyer, 2)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_that_was_forked_has_parts_of_its_own(market: Market) -> None:
    api, buyer = Api(), market.buyer()
    with behind(market, api) as server:
        assert server.call(buyer).status == 200
        server.rows(buyer, 1)
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            # Nothing of the test's may run in the child, whatever becomes of it.
            try:
                status = server.call(buyer).status
                server.middleware.stop()
                os.write(writing, str(status).encode())
            finally:
                os._exit(0)
        os.close(writing)
        assert os.read(reading, 10) == b"200"
        os.close(reading)
        assert os.waitpid(pid, 0)[1] == 0
        assert server.call(buyer).status == 200
        server.rows(buyer, 3)


def test_parts_that_were_stopped_start_again(market: Market) -> None:
    api, buyer = Api(), market.buyer()
    with behind(market, api) as server:
        for count in (1, 2):
            assert server.call(buyer).status == 200
            server.middleware.stop()
            assert len(market.rows(buyer)) == count
        server.middleware.stop()


def test_a_stop_waits_for_a_call_that_is_being_answered(market: Market) -> None:
    api, buyer = Api(), market.buyer()
    with behind(market, api) as server:
        answer = Answer()
        parts = server.begin(answer, buyer)
        stopping = threading.Thread(target=server.middleware.stop)
        stopping.start()
        assert b"".join(parts) == b"12345"
        assert stopping.is_alive(), "the call has not ended yet"
        close(parts)
        stopping.join(END_SECONDS_MAX)
        assert not stopping.is_alive()
        (row,) = market.rows(buyer)
        assert row.response_size == 5


def test_a_stop_waits_no_longer_than_a_while(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop_thread, "CALLS_SECONDS_MAX", 0.01)
    api, buyer = Api(), market.buyer()
    with behind(market, api) as server:
        parts = server.begin(Answer(), buyer)
        server.middleware.stop()
        close(parts)


def test_the_app_can_tell_the_numbers_of_its_process(market: Market) -> None:
    api, buyer = Api(), market.buyer(**ONE_A_DAY)
    with behind(market, api) as server:
        before = _counted(metrics())
        assert [server.call(buyer).status for _ in range(3)] == [200, 429, 429]
        server.rows(buyer, 1)
        accepted, refused = _counted(metrics())
        assert (accepted - before[0], refused - before[1]) == (1, 2)


def _counted(told: bytes) -> tuple[int, int]:
    """Requests that were recorded, and calls that were refused by a day's limit."""
    lines = dict(line.rsplit(" ", 1) for line in told.decode().splitlines())
    return (
        int(float(lines.get('farebox_requests_total{outcome="accepted"}', "0"))),
        int(float(lines.get('farebox_refusals_total{reason="day"}', "0"))),
    )

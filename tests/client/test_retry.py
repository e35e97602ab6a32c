"""When a call is sent again, how long is waited, and what stays the same meanwhile."""

from __future__ import annotations

import asyncio
from email.utils import formatdate

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.client import ApiError, AsyncClient, FareboxClientError, RetryPolicy, TransportError
from farebox.client.retry import GATE_RETRY, retry_after_seconds
from tests.client.hands import (
    START_MS,
    TOKEN,
    URL,
    HandOutside,
    Network,
    client,
    opened,
    recorded,
    unavailable,
)


def record(network: Network, outside: HandOutside, **more: object) -> FareboxClientError | None:
    """Record a row and flush; what went wrong."""
    with client(network, outside, **more) as made:
        try:
            made.record_all([])
        except FareboxClientError as error:
            return error
    return None


@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_what_passes_is_tried_again(colour: str, status: int) -> None:
    network = Network(unavailable(status=status), unavailable(status=status), recorded)
    with opened(colour, network) as made:
        assert made.record_all([]).accepted == 0
    assert len(network.sent) == 3


@pytest.mark.parametrize(
    "status", [301, 307, 400, 401, 402, 403, 404, 405, 409, 413, 415, 422, 500, 501]
)
def test_what_does_not_pass_is_told_at_once(status: int) -> None:
    network = Network(httpx.Response(status, headers={"Location": "http://other.test"}))
    error = record(network, HandOutside())
    assert isinstance(error, ApiError)
    assert (error.status, error.attempts, error.is_temporary) == (status, 1, False)
    assert [request.url.host for request in network.sent] == ["farebox.test"]


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadError("cut"),
        httpx.ReadTimeout("slow"),
        httpx.WriteError("cut"),
        httpx.PoolTimeout("full"),
        httpx.RemoteProtocolError("gone"),
        httpx.DecodingError("garbled"),
    ],
    ids=lambda failure: type(failure).__name__,
)
@pytest.mark.parametrize("colour", ["sync", "async"])
def test_a_failure_of_the_network_is_tried_again(colour: str, failure: Exception) -> None:
    network = Network(failure, recorded)
    with opened(colour, network) as made:
        made.record_all([])
    assert len(network.sent) == 2


@pytest.mark.parametrize(
    "failure", [httpx.UnsupportedProtocol("what"), httpx.LocalProtocolError("what")]
)
def test_what_no_repeat_can_mend_is_told_at_once(failure: Exception) -> None:
    error = record(Network(failure), HandOutside())
    assert isinstance(error, TransportError)
    assert error.attempts == 1


def test_a_write_that_is_still_in_flight_is_asked_for_again() -> None:
    in_flight = httpx.Response(409, json={"code": 40903, "message": "Still.", "details": {}})
    network = Network(in_flight, httpx.Response(204))
    with client(network) as made:
        made.admin.revoke_key(1, "key_1")
    assert len(network.sent) == 2


def test_every_attempt_is_the_same_to_the_byte() -> None:
    made_workspace = {"profile_id": 1}
    network = Network(
        unavailable(),
        httpx.ReadTimeout("slow"),
        unavailable(),
        httpx.Response(201, json=made_workspace),
    )
    with client(network) as made, pytest.raises(TransportError, match="none of Farebox's"):
        made.admin.grant(1, "12.5")
    assert len({request.content for request in network.sent}) == 1
    assert len({request.headers["Idempotency-Key"] for request in network.sent}) == 1
    assert len(network.sent) == 4


def test_an_answer_that_is_none_of_ours_is_not_taken_for_one() -> None:
    network = Network(httpx.Response(200, text="<h1>Welcome to the hotel</h1>"))
    error = record(network, HandOutside())
    assert isinstance(error, TransportError)
    assert len(network.sent) == 1
    assert "hotel" not in str(error)


def test_retry_after_is_waited_in_full_and_the_jitter_on_top() -> None:
    outside = HandOutside(byte=0)
    assert record(Network(unavailable("7"), recorded), outside) is None
    assert outside.waits == [7.0]
    jittery = HandOutside(byte=0xFF)
    assert record(Network(unavailable("7"), recorded), jittery) is None
    (wait,) = jittery.waits
    assert 7.0 < wait <= 7.1


def test_retry_after_may_be_a_date_on_the_clock_of_the_server() -> None:
    hour_ahead = START_MS / 1_000 + 3_600
    answer = unavailable(
        formatdate(hour_ahead + 9, usegmt=True), Date=formatdate(hour_ahead, usegmt=True)
    )
    outside = HandOutside(byte=0)
    assert record(Network(answer, recorded), outside) is None
    assert outside.waits == [9.0]


def test_retry_after_may_be_a_date_without_a_date_of_the_server() -> None:
    headers = httpx.Headers({"Retry-After": formatdate(START_MS / 1_000 + 9, usegmt=True)})
    assert retry_after_seconds(headers, START_MS) == 9.0
    assert retry_after_seconds(headers, START_MS + 60_000) == 0.0


@pytest.mark.parametrize(
    "text",
    ["", "-1", "soon", "1e3", "1.5", "9" * 5_000, "٣", "Wed, 99 Foo 2026 00:00:00 GMT", "\x00"],
    ids=repr,
)
def test_a_retry_after_that_says_nothing_is_none(text: str) -> None:
    headers = httpx.Headers([(b"Retry-After", text.encode())])
    assert retry_after_seconds(headers, START_MS) is None


def test_a_wait_that_is_longer_than_the_whole_is_not_begun() -> None:
    outside = HandOutside()
    network = Network(unavailable("3600"))
    error = record(network, outside)
    assert isinstance(error, ApiError)
    assert error.retry_after == 3_600.0
    assert error.is_temporary
    assert (outside.waits, len(network.sent)) == ([], 1)


def test_waits_double_up_to_their_bound() -> None:
    outside = HandOutside(byte=0xFF)
    policy = RetryPolicy(attempts_max=7, total_seconds_max=100, base_seconds=1, wait_seconds_max=8)
    error = record(Network(httpx.ReadTimeout("slow")), outside, retry=policy)
    assert error is not None
    assert error.attempts == 7
    assert [round(wait) for wait in outside.waits] == [1, 2, 4, 8, 8, 8]


@given(
    outcomes=st.lists(st.one_of(st.none(), st.integers(0, 40)), min_size=1, max_size=30),
    byte=st.integers(0, 255),
    attempts_max=st.integers(1, 20),
    takes_seconds=st.floats(0, 12),
)
def test_no_call_takes_more_attempts_or_more_time_than_it_may(
    outcomes: list[int | None], byte: int, attempts_max: int, takes_seconds: float
) -> None:
    outside = HandOutside(byte)
    begun: list[float] = []

    def slow(_: httpx.Request) -> Exception | httpx.Response:
        begun.append(outside.seconds)
        outside.seconds += takes_seconds
        seconds = outcomes[len(begun) % len(outcomes)]
        return httpx.ConnectError("refused") if seconds is None else unavailable(str(seconds))

    policy = RetryPolicy(attempts_max=attempts_max, total_seconds_max=20)
    network = Network(slow)
    error = record(network, outside, retry=policy)
    assert error is not None
    assert error.attempts == len(begun) <= attempts_max
    assert all(at < 20 for at in begun)
    timeouts = [request.extensions["timeout"]["read"] for request in network.sent]
    assert all(t <= 10 and at + t <= 20.001 for at, t in zip(begun, timeouts, strict=True))


@pytest.mark.parametrize(
    "bounds",
    [
        {"attempts_max": 0},
        {"total_seconds_max": 0.0},
        {"attempt_seconds_max": float("inf")},
        {"base_seconds": -1.0},
        {"wait_seconds_max": float("nan")},
    ],
    ids=str,
)
def test_a_policy_has_bounds(bounds: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(bounds))):
        RetryPolicy(**bounds)  # type: ignore[arg-type] # what a caller without types may do


def test_on_a_loop_an_attempt_ends_after_its_time_whatever_comes() -> None:
    class Silent(httpx.AsyncBaseTransport):
        async def handle_async_request(self, _: httpx.Request) -> httpx.Response:
            await asyncio.Event().wait()
            raise AssertionError

    async def main() -> TransportError:
        once = RetryPolicy(attempts_max=2, attempt_seconds_max=0.01, base_seconds=0)
        async with AsyncClient(URL, TOKEN, retry=once, transport=Silent()) as made:
            with pytest.raises(TransportError) as silent:
                await made.record_all([])
            return silent.value

    error = asyncio.run(main())
    assert error.attempts == 2
    assert isinstance(error.__cause__, httpx.ReadTimeout)


def test_the_gate_is_asked_quickly_and_not_for_long() -> None:
    outside = HandOutside()
    network = Network(httpx.ConnectError("refused"))
    with client(network, outside) as made, pytest.raises(TransportError):
        made.authorize(key="key-of-somebody", log_type="people_search")
    assert outside.seconds <= GATE_RETRY.total_seconds_max
    assert len(network.sent) == GATE_RETRY.attempts_max

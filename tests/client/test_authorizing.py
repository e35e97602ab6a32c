"""What a client does with the gate's answers, and how a reservation ends."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import httpx
import pytest

from farebox.client import Admitted, ApiError, AsyncAuthorization, Authorization, Denied
from tests.client.hands import HandOutside, Network, async_client, client, ok, opened, unavailable

COLOURS = pytest.mark.parametrize("colour", ["sync", "async"])
ADMITTED = ok(
    allowed=True,
    reservation_id="rsv_1",
    profile_id=1,
    key_id="key_1",
    user_id="0192f3c4-7a5b-4d1e-8f20-3b6c9d2e4a71",
    held_credits=2.5,
    limits=[
        {"name": "minute", "limit": 60, "remaining": 59, "reset": "2026-05-05T11:10:00.000Z"},
        {"name": "credits", "limit": None, "remaining": 12.000001, "reset": None},
    ],
)
DENIED = ok(
    allowed=False,
    status=429,
    code=42902,
    message="The limit 'minute' is used up.",
    denied_by="minute",
    retry_after=18,
)
SETTLED = ok(charged=1.5, balance=1248.5)
VOIDED = ok()
KEY = "key-of-somebody"


def paths(network: Network) -> list[str]:
    return [request.url.path.removeprefix("/v1/") for request in network.sent]


@COLOURS
def test_an_admitted_request_tells_what_it_holds_exactly(colour: str) -> None:
    with opened(colour, Network(ADMITTED)) as made:
        decision = made.authorize(key=KEY, log_type="people_search")
    assert decision.allowed
    assert (decision.status, decision.denied_by, decision.retry_after) == (200, None, None)
    assert isinstance(decision.answer, Admitted)
    assert decision.answer.held_credits == Decimal("2.5")
    assert decision.limits[1].remaining == Decimal("12.000001")
    assert decision.reservation.reservation_id == "rsv_1"


@COLOURS
def test_a_refusal_is_an_answer_and_no_exception(colour: str) -> None:
    network = Network(DENIED)
    with opened(colour, network) as made:
        decision = made.authorize(key=KEY, log_type="people_search")
    assert not decision.allowed
    assert decision.reservation is None
    assert isinstance(decision.answer, Denied)
    assert (decision.status, decision.code, decision.denied_by) == (429, 42902, "minute")
    assert decision.message == "The limit 'minute' is used up."
    assert decision.retry_after == 18
    assert len(network.sent) == 1  # a 429 for the caller is none for the gateway


def test_a_refusal_that_no_waiting_helps_tells_no_wait() -> None:
    denied = ok(allowed=False, status=402, code=40201, message="No.", denied_by="credits")
    with client(Network(denied)) as made:
        assert made.authorize(key=KEY, log_type=None).retry_after is None


@COLOURS
def test_a_request_is_told_in_full_and_exactly(colour: str) -> None:
    network = Network(ADMITTED)
    with opened(colour, network) as made:
        made.authorize(
            key=KEY,
            method="GET",
            path="/people",
            credits="0.1",
            channel="portal",
            id="mine",
            ip="192.0.2.1",
        )
        made.authorize(key=KEY, log_type=None)
    first, second = network.bodies()
    assert b'"credits":0.1,' in network.sent[0].content
    assert first == {
        "key": KEY,
        "method": "GET",
        "path": "/people",
        "credits": 0.1,
        "channel": "portal",
        "id": "mine",
        "ip": "192.0.2.1",
    }
    assert second.pop("id")[14] == "7"
    assert second == {"key": KEY, "log_type": None}


@COLOURS
@pytest.mark.parametrize(
    "wrong",
    [{}, {"method": "GET"}, {"path": "/"}, {"log_type": "a", "credits": -(10**12)}],
    ids=str,
)
def test_what_can_not_be_asked_is_refused_where_it_is_told(
    colour: str, wrong: dict[str, Any]
) -> None:
    network = Network(ADMITTED)
    with opened(colour, network) as made, pytest.raises(ValueError, match=r"log_type|credits"):
        made.authorize(key=KEY, **wrong)
    assert not network.sent


@COLOURS
def test_a_repeat_asks_with_the_same_id(colour: str) -> None:
    network = Network(httpx.ReadTimeout("slow"), unavailable(), ADMITTED)
    with opened(colour, network) as made:
        made.authorize(key=KEY, log_type="people_search")
        made.authorize(key=KEY, log_type="people_search")
    ids = [body["id"] for body in network.bodies()]
    assert ids[0] == ids[1] == ids[2] != ids[3]


@COLOURS
def test_a_reservation_is_settled_or_voided_by_its_id(colour: str) -> None:
    network = Network(SETTLED, VOIDED)
    with opened(colour, network) as made:
        settled = made.settle("rsv_7", credits=Decimal("1.5"), status_code=200, duration_ms=3)
        made.void("rsv_8")
    assert (settled.charged, settled.balance) == (Decimal("1.5"), Decimal("1248.5"))
    assert paths(network) == ["settle", "void"]
    assert network.bodies() == [
        {"reservation_id": "rsv_7", "credits": 1.5, "status_code": 200, "duration_ms": 3},
        {"reservation_id": "rsv_8"},
    ]


@COLOURS
def test_a_reservation_settles_with_all_that_was_told(colour: str) -> None:
    network = Network(ADMITTED, SETTLED)
    with opened(colour, network) as made:
        decision = made.authorize(key=KEY, method="GET", path="/people", ip="192.0.2.1")
        decision.reservation.tell(status_code=500, duration_ms=3)
        if colour == "sync":
            decision.reservation.settle(status_code=200)
        else:
            made._runner.run(decision.reservation.settle(status_code=200))
    assert network.bodies()[1] == {
        "reservation_id": "rsv_1",
        "method": "GET",
        "path": "/people",
        "ip": "192.0.2.1",
        "status_code": 200,
        "duration_ms": 3,
    }


class ServingError(Exception):
    """What the provider's API may raise."""


def fail() -> None:
    raise ServingError


def run(network: Network, block: str) -> Authorization | AsyncAuthorization:
    """A `with` of a `Client`, and the same of an `AsyncClient`, which does the same calls."""
    played = list(network.played)
    with client(network) as made:
        decision = _sync(made.authorize(key=KEY, log_type="a"), block)
    again = Network(*played)
    asyncio.run(_async(again, block))
    assert again.bodies()[1:] == network.bodies()[1:]
    assert paths(again) == paths(network)
    return decision


def _sync(entered: Authorization, block: str) -> Authorization:
    try:
        with entered as decision:
            reservation = decision.reservation
            if block == "serve" and reservation is not None:
                reservation.tell(status_code=200)
            elif block == "fail":
                fail()
            elif block == "settle" and reservation is not None:
                reservation.settle(status_code=404)
            elif block == "void, then fail" and reservation is not None:
                reservation.void()
                fail()
    except ServingError:
        assert "fail" in block
    return entered


async def _async(network: Network, block: str) -> None:
    try:
        async with (
            async_client(network) as made,
            made.authorize(key=KEY, log_type="a") as decision,
        ):
            reservation = decision.reservation
            if block == "serve" and reservation is not None:
                reservation.tell(status_code=200)
            elif block == "fail":
                fail()
            elif block == "settle" and reservation is not None:
                await reservation.settle(status_code=404)
            elif block == "void, then fail" and reservation is not None:
                await reservation.void()
                fail()
    except ServingError:
        assert "fail" in block


def test_a_block_that_ends_well_settles_what_was_told() -> None:
    network = Network(ADMITTED, SETTLED)
    run(network, "serve")
    assert paths(network) == ["authorize", "settle"]
    assert network.bodies()[1] == {"reservation_id": "rsv_1", "status_code": 200}


def test_a_block_that_an_exception_leaves_voids() -> None:
    network = Network(ADMITTED, VOIDED)
    run(network, "fail")
    assert paths(network) == ["authorize", "void"]


@pytest.mark.parametrize(
    ("block", "ends"), [("settle", "settle"), ("void, then fail", "void")], ids=str
)
def test_a_block_that_ends_the_reservation_itself_is_left_alone(block: str, ends: str) -> None:
    network = Network(ADMITTED, SETTLED if ends == "settle" else VOIDED)
    run(network, block)
    assert paths(network) == ["authorize", ends]


@pytest.mark.parametrize("block", ["serve", "fail"])
def test_a_refused_block_has_nothing_to_end(block: str) -> None:
    network = Network(DENIED)
    assert not run(network, block).allowed
    assert paths(network) == ["authorize"]


def test_a_void_that_fails_hides_no_exception_of_the_block(
    caplog: pytest.LogCaptureFixture,
) -> None:
    network = Network(ADMITTED, httpx.Response(404))
    run(network, "fail")
    assert "a reservation was not voided and will expire" in caplog.text


def test_a_settlement_that_fails_in_the_block_is_not_voided() -> None:
    """What became of it is unknown: a void could give back what the request did cost."""
    network = Network(ADMITTED, httpx.ReadTimeout("slow"))
    with client(network, HandOutside()) as made, pytest.raises(Exception, match="no answer"):
        _sync(made.authorize(key=KEY, log_type="a"), "settle")
    assert set(paths(network)) == {"authorize", "settle"}


def test_a_settlement_at_the_end_of_the_block_that_fails_is_told() -> None:
    network = Network(ADMITTED, httpx.Response(422, json={"code": 42209, "message": "Too much."}))
    with client(network) as made, pytest.raises(ApiError) as above:
        _sync(made.authorize(key=KEY, log_type="a"), "serve")
    assert (above.value.status, above.value.code) == (422, 42209)
    assert str(above.value) == "42209: Too much."


def test_a_block_that_is_cancelled_voids() -> None:
    network = Network(ADMITTED, VOIDED)

    async def main() -> None:
        entered = asyncio.Event()

        async def serve() -> None:
            async with async_client(network) as made, made.authorize(key=KEY, log_type="a"):
                entered.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(serve())
        await entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert paths(network) == ["authorize", "void"]

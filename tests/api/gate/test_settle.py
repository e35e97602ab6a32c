"""`POST /v1/settle` and `/v1/void`: each reservation ends once, and charges what it did cost."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from farebox.core.instant import MS_PER_HOUR
from farebox.engine.reservation import Reservation
from tests.api.gate.till import Till
from tests.support.api import exact
from tests.support.gates import GateWorld

HOLD_MS = 60_000


def test_a_settlement_records_the_request_and_charges_its_price(till: Till) -> None:
    reservation_id = till.admitted(id="call-1")
    admitted_ms = till.harness.now_ms
    till.harness.clock.advance(1_500)
    response = till.settle(
        reservation_id, method="POST", path="/people/search?q=1", duration_ms=17, ip="192.0.2.7"
    )
    assert exact(response) == {"charged": 3, "balance": 97}
    rows = till.harness.select(
        "select time_ms, credits_micro, path, status_code, duration_ms, ip from requests"
        " where channel = 'api'"
    )
    assert rows == [(admitted_ms, 3_000_000, "/people/search", 200, 17, "192.0.2.7")]


@pytest.mark.parametrize(("credits", "charged"), [(0, 0), (15, 15), (29.5, 29.5), (None, 15)])
def test_a_call_priced_by_its_result_charges_the_result(
    till: Till, credits: float | None, charged: float
) -> None:
    reservation_id = till.admitted(log_type="people_redeem", path=None, method=None)
    assert till.credits_left() == 70
    told = {} if credits is None else {"credits": credits}
    answer = till.settle(reservation_id, **told).json()
    assert answer == {"charged": charged, "balance": 100 - charged}
    assert float(str(till.credits_left())) == 100 - charged


def test_a_failed_call_is_free(till: Till) -> None:
    assert exact(till.settle(till.admitted(), status_code=502)) == {"charged": 0, "balance": 100}


def test_more_than_was_held_is_refused_and_nothing_changes(till: Till) -> None:
    reservation_id = till.admitted()
    response = till.settle(reservation_id, credits=3.000001)
    assert (response.status_code, response.json()["code"]) == (422, 42209)
    assert "at most what was held: 3" in response.json()["message"]
    assert exact(till.settle(reservation_id)) == {"charged": 3, "balance": 97}


def test_the_same_settlement_again_gets_the_same_answer_and_charges_once(till: Till) -> None:
    reservation_id = till.admitted()
    answers = [till.settle(reservation_id, duration_ms=5).json() for _ in range(3)]
    assert answers == [{"charged": 3, "balance": 97}] * 3


def test_another_settlement_or_a_void_afterwards_is_told_apart(till: Till) -> None:
    reservation_id = till.admitted()
    till.settle(reservation_id)
    for response in (till.settle(reservation_id, status_code=201), till.void(reservation_id)):
        assert (response.status_code, response.json()["code"]) == (409, 40908)
    assert till.credits_left() == 97


def test_a_void_gives_everything_back_and_may_be_repeated(till: Till) -> None:
    reservations = [till.admitted() for _ in range(5)]
    assert till.authorize()["denied_by"] == "hour"
    for _ in range(2):
        response = till.void(reservations[0])
        assert (response.status_code, response.json()) == (200, {})
    assert till.settle(reservations[0]).status_code == 409
    assert till.admitted()
    assert till.authorize()["denied_by"] == "hour"
    assert till.credits_left() == 100 - 5 * 3


def test_an_expired_reservation_frees_its_credits_and_keeps_its_place(till: Till) -> None:
    late, *_ = [till.admitted() for _ in range(5)]
    assert till.credits_left() == 85
    till.harness.clock.advance(HOLD_MS)
    assert till.authorize()["denied_by"] == "hour"
    assert till.credits_left() == 100
    assert exact(till.settle(late)) == {"charged": 3, "balance": 97}
    told = till.api.request("GET", "/metrics").text
    assert "farebox_late_settlements_total 1.0" in told
    assert till.authorize()["denied_by"] == "hour"


def test_a_reservation_is_good_after_its_window_has_closed(till: Till) -> None:
    till.harness.clock.advance(MS_PER_HOUR - till.harness.now_ms % MS_PER_HOUR - 1)
    reservation_id = till.admitted()
    till.harness.clock.advance(1_000)
    assert exact(till.settle(reservation_id))["charged"] == 3
    limits = {limit["name"]: limit for limit in till.authorize()["limits"]}
    assert limits["hour"]["remaining"] == 4
    assert limits["month"]["remaining"] == 998


@pytest.mark.parametrize("change", ["", "rsv_", "rsv_AAAA", "x"])
def test_a_token_that_is_none_of_ours_is_refused(till: Till, change: str) -> None:
    for reservation_id in (change or "rsv_" + "A" * 200, till.admitted() + "A"):
        for response in (till.settle(reservation_id), till.void(reservation_id)):
            assert (response.status_code, response.json()["code"]) == (422, 42208)


def test_one_changed_character_is_noticed(till: Till) -> None:
    good = till.admitted()
    for place in range(4, len(good) - 1, 7):
        other = "B" if good[place] == "A" else "A"
        response = till.void(good[:place] + other + good[place + 1 :])
        assert response.status_code == 422
    assert till.void(good).status_code == httpx.codes.OK


def test_the_same_id_reported_by_another_way_ends_the_reservation(till: Till) -> None:
    reservation_id = till.admitted(id="call-1")
    row = {"id": "call-1", "key_id": till.key_id, "log_type": "people_search"}
    assert till.ask("/v1/requests", {"requests": [row]}).json()["accepted"] == 1
    assert till.settle(reservation_id).status_code == 409
    assert till.credits_left() == 97


def test_a_call_of_a_log_type_that_is_new_is_settled_where_it_was_not_heard_of(till: Till) -> None:
    """Another process has admitted it."""
    till.harness.log_type("brand_new", credits=7)
    other = GateWorld(till.harness)
    hold = asyncio.run(other.admitted(till.key_id, "brand_new"))
    settled = till.settle(till.api.context.seal.seal(Reservation.of(hold)))
    assert settled.status_code == httpx.codes.OK, settled.text
    assert exact(settled)["charged"] == 7

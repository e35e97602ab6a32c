"""The client at a real gate: what is admitted once is charged once, whatever answer was lost."""

from __future__ import annotations

import asyncio
import itertools
import signal
from contextlib import closing
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from farebox.client import ApiError, AsyncClient, Client
from farebox.service.audit import run_audit
from farebox.store.sqlite.database import open_reader
from tests.client.faults import PATIENT, AsyncFaultyTransport, Faults, FaultyTransport
from tests.support.server import RunningServer

LOST = "lost answer"
NUMBERS = itertools.count(1)


class Customer(NamedTuple):
    """A workspace with 30 credits, on a plan of its own, and its key."""

    profile_id: int
    key_id: str
    key: str


@pytest.fixture
def customer(shop: RunningServer) -> Customer:
    slug = f"plan-{next(NUMBERS)}"
    limits = {"api": {"hour": None, "day": None, "month": 10}}
    plan = {"slug": slug, "name": slug, "credits_per_month": 30, "limits": limits}
    shop.make("/plans", plan)
    profile_id = shop.make("/workspaces", {"name": "Acme", "plan": slug})["profile_id"]
    made = shop.make(f"/workspaces/{profile_id}/keys", {})
    return Customer(profile_id, made["key_id"], made["key"])


def open_client(shop: RunningServer, *plan: str) -> Client:
    faults = Faults(shop, plan)
    return Client(
        shop.url,
        shop.token,
        retry=PATIENT,
        gate_retry=PATIENT,
        transport=FaultyTransport(faults),
        sleep=faults.sleep,
    )


def balance(shop: RunningServer, customer: Customer) -> Decimal:
    answer = shop.client.get(f"{shop.url}/v1/quotas", headers={"x-api-key": customer.key})
    return Decimal(str(answer.json()["credits_left"]))


def booked(shop: RunningServer, customer: Customer) -> Decimal:
    """What the ledger has left, whatever a process that was killed still holds back."""
    answer = shop.call("GET", f"/admin/v1/workspaces/{customer.profile_id}/statement")
    return Decimal(str(answer.json()["closing_balance"]))


def month_used(shop: RunningServer, customer: Customer) -> int:
    answer = shop.client.get(f"{shop.url}/profile/usage", headers={"x-api-key": customer.key})
    used: int = answer.json()["data"]["api_monthly_usage"]
    return used


def logged(shop: RunningServer, customer: Customer) -> list[dict[str, Any]]:
    """The query logs of the customer, the newest first, without calls of Farebox itself."""
    answer = shop.client.post(
        f"{shop.url}/api_keys/logs",
        headers={"x-api-key": customer.key},
        json={"log_type_slugs": ["people_search"]},
    )
    rows: list[dict[str, Any]] = answer.json()["data"]["query_logs"]
    return rows


def check_books(shop: RunningServer) -> None:
    with closing(open_reader(shop.database)) as reader:
        assert run_audit(reader, integrity=True).agrees


def test_a_served_request_is_charged_and_logged(shop: RunningServer, customer: Customer) -> None:
    with (
        open_client(shop) as client,
        client.authorize(
            key=customer.key,
            log_type="people_search",
            method="POST",
            path="/people",
            ip="192.0.2.1",
        ) as decision,
    ):
        assert decision.reservation is not None
        assert decision.reservation.admitted.held_credits == 3
        assert decision.reservation.admitted.key_id == customer.key_id
        decision.reservation.tell(status_code=200, credits="1.5", duration_ms=7)
    assert balance(shop, customer) == Decimal("28.5")
    (row,) = logged(shop, customer)
    assert (row["method"], row["path"], row["ip"]) == ("POST", "/people", "192.0.2.1")
    assert (row["status_code"], row["duration_ms"], row["credits"]) == (200, 7, 1.5)


def test_a_request_that_failed_costs_nothing(shop: RunningServer, customer: Customer) -> None:
    with open_client(shop) as client:
        with (
            pytest.raises(ZeroDivisionError),
            client.authorize(key=customer.key, log_type="people_search"),
        ):
            1 / 0  # noqa: B018 - what the provider's API may do
        with client.authorize(key=customer.key, log_type="people_search") as decision:
            assert decision.reservation is not None
            assert decision.reservation.settle(status_code=500).charged == 0
    assert balance(shop, customer) == 30
    assert [row["status_code"] for row in logged(shop, customer)] == [500]


@pytest.mark.parametrize(
    ("key", "status", "denied_by"),
    [("a-key-of-nobody", 401, "key"), (None, 402, "credits")],
    ids=["unknown key", "no credits"],
)
def test_a_refusal_tells_what_to_answer_with(
    shop: RunningServer, customer: Customer, key: str | None, status: int, denied_by: str
) -> None:
    with open_client(shop) as client:
        decision = client.authorize(
            key=key or customer.key, log_type="people_search", credits="30.000001"
        )
    assert (decision.allowed, decision.status, decision.denied_by) == (False, status, denied_by)
    assert decision.code is not None
    assert decision.code // 100 == status
    assert decision.message


def test_a_used_up_limit_tells_when_to_come_again(shop: RunningServer, customer: Customer) -> None:
    with open_client(shop) as client:
        decisions = [
            client.authorize(key=customer.key, log_type="people_search", credits=0)
            for _ in range(11)
        ]
    assert [decision.allowed for decision in decisions] == [True] * 10 + [False]
    refused = decisions[-1]
    assert (refused.status, refused.denied_by) == (429, "month")
    assert refused.retry_after is not None
    assert 1 <= refused.retry_after <= 32 * 86_400


def test_a_lost_admission_holds_once(shop: RunningServer, customer: Customer) -> None:
    with open_client(shop, LOST, LOST) as client:
        decision = client.authorize(key=customer.key, log_type="people_search")
        assert decision.reservation is not None
        left = {limit.name: limit.remaining for limit in decision.limits}
        assert (left["month"], left["credits"]) == (9, 27)
        decision.reservation.settle(status_code=200)
    assert balance(shop, customer) == 27


@pytest.mark.parametrize("fault", [LOST, "killed after", "killed before", "recorder killed"])
def test_a_lost_settlement_charges_once(
    shop: RunningServer, customer: Customer, fault: str
) -> None:
    with open_client(shop, "none", fault) as client:
        decision = client.authorize(key=customer.key, log_type="people_search")
        assert decision.reservation is not None
        settled = decision.reservation.settle(status_code=200)
        assert settled.charged == 3
        again = decision.reservation.settle()
        assert again.charged == 3
    assert booked(shop, customer) == 27
    if fault == LOST:
        assert balance(shop, customer) == 27
    assert len(logged(shop, customer)) == 1
    check_books(shop)


@pytest.mark.parametrize("fault", [LOST, "killed after"])
def test_a_lost_void_gives_back_once(shop: RunningServer, customer: Customer, fault: str) -> None:
    with open_client(shop, "none", fault) as client:
        decision = client.authorize(key=customer.key, log_type="people_search")
        assert decision.reservation is not None
        decision.reservation.void()
        decision.reservation.void()
        with pytest.raises(ApiError) as ended:
            client.settle(decision.reservation.reservation_id, status_code=200)
        assert (ended.value.status, ended.value.code, ended.value.attempts) == (409, 40908, 1)
    assert booked(shop, customer) == 30
    if fault == LOST:
        assert balance(shop, customer) == 30
    assert logged(shop, customer) == []
    check_books(shop)


def test_what_exceeds_the_hold_is_refused(shop: RunningServer, customer: Customer) -> None:
    with open_client(shop) as client:
        decision = client.authorize(key=customer.key, log_type="people_search")
        assert decision.reservation is not None
        with pytest.raises(ApiError) as above:
            decision.reservation.settle(credits=4, status_code=200)
        assert (above.value.status, above.value.code) == (422, 42209)
        assert decision.reservation.settle(credits=3).charged == 3


def test_another_process_may_settle(shop: RunningServer, customer: Customer) -> None:
    with open_client(shop) as client:
        decision = client.authorize(key=customer.key, log_type="people_search")
        assert decision.reservation is not None
        reservation_id = decision.reservation.reservation_id
    shop.stop(signal.SIGTERM)
    shop.start()
    with open_client(shop) as client:
        assert client.settle(reservation_id, status_code=200, credits="0.5").charged == Decimal(
            "0.5"
        )
        with pytest.raises(ApiError) as none_of_ours:
            client.void(reservation_id[:-1] + ("A" if reservation_id[-1] != "A" else "B"))
        assert none_of_ours.value.code == 42208


def test_callers_on_a_loop_share_what_there_is(shop: RunningServer, customer: Customer) -> None:
    """30 credits pay 10 requests at 3; every third answer is lost on the way."""

    async def main() -> list[bool]:
        faults = Faults(shop, itertools.cycle(["none", "none", LOST]))
        async with AsyncClient(
            shop.url,
            shop.token,
            retry=PATIENT,
            gate_retry=PATIENT,
            transport=AsyncFaultyTransport(faults),
            sleep=faults.async_sleep,
        ) as client:

            async def call() -> bool:
                async with client.authorize(key=customer.key, log_type="people_search") as decision:
                    if decision.reservation is not None:
                        decision.reservation.tell(status_code=200)
                    return decision.allowed

            return await asyncio.gather(*(call() for _ in range(24)))

    assert sum(asyncio.run(main())) == 10
    assert balance(shop, customer) == 0
    assert month_used(shop, customer) == len(logged(shop, customer)) == 10
    check_books(shop)

"""A node that can't reach the database answers 503 when its trust ends, and the others go on."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import pytest

from tests.fleet.node import Node
from tests.fleet.world import World
from tests.support.faces import SLUG, Customer
from tests.support.proxy import Proxy
from tests.support.recorders import until

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("ground", ["postgres"])]

TRUST_SECONDS = 0.9
# How long whoever is cut off waits for units before it says so.
ANSWER_SECONDS_MAX = 3.0
BACK_SECONDS_MAX = 20.0
WAYS: dict[str, Callable[[Proxy], None]] = {
    "cut": Proxy.cut,
    "silent": Proxy.half_open,
}


def asked(node: Node, customer: Customer) -> httpx.Response:
    """A node's decision of a call."""
    body = {"key": customer.seats[0].key, "log_type": SLUG}
    return node.call("POST", "/v1/authorize", body)


def is_admitted(answer: httpx.Response) -> bool:
    """Whether a call may go on."""
    return answer.status_code == httpx.codes.OK and bool(answer.json()["allowed"])


@pytest.mark.parametrize("way", WAYS)
def test_a_node_that_is_cut_off_admits_nobody_after_its_trust(world: World, way: str) -> None:
    customer = world.shop.customer({})
    world.await_known([customer.seats[0].key])
    cut_off, other, *_ = world.nodes
    until(lambda: is_admitted(asked(cut_off, customer)))
    WAYS[way](cut_off.proxy)
    cut = time.monotonic()
    refused = 0

    def is_refused_for_long() -> bool:
        nonlocal refused
        sent = time.monotonic()
        answer = asked(cut_off, customer)
        heard = time.monotonic()
        assert answer.status_code in {200, 503}, answer.text
        if answer.status_code == httpx.codes.OK:
            assert answer.json()["allowed"]
            assert sent - cut <= TRUST_SECONDS, "admitted without trust"
        else:
            assert "Retry-After" in answer.headers
            assert heard - sent <= ANSWER_SECONDS_MAX
            refused += 1
        assert is_admitted(asked(other, customer)), "the other has lost nothing"
        return refused > 0 and heard - cut > 2 * TRUST_SECONDS

    try:
        until(is_refused_for_long)
    finally:
        cut_off.proxy.heal()
    until(lambda: is_admitted(asked(cut_off, customer)), seconds_max=BACK_SECONDS_MAX)

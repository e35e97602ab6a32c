"""What is changed at one node is so at every other within a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.fleet.node import Node
from tests.fleet.world import World
from tests.support.faces import RICH, SLUG, Customer
from tests.support.recorders import until
from tests.support.sign_in import sign_in_by_key

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("ground", ["postgres"])]

KNOWN_SECONDS_MAX = 1.0
SEEN_SECONDS_MAX = 10.0
Answer = dict[str, Any]


def customer_in(world: World, plan: dict[str, Any]) -> Customer:
    """A workspace that every node knows."""
    customer = world.shop.customer(plan)
    world.await_known([customer.seats[0].key])
    return customer


def asked(node: Node, customer: Customer) -> Answer:
    """What a node decides of a call; its units go back."""
    body = {"key": customer.seats[0].key, "log_type": SLUG}
    answer = node.call("POST", "/v1/authorize", body)
    assert answer.status_code == httpx.codes.OK, answer.text
    told: Answer = answer.json()
    if told["allowed"]:
        void = {"reservation_id": told["reservation_id"]}
        assert node.call("POST", "/v1/void", void).status_code == httpx.codes.OK
    return told


def change(node: Node, method: str, path: str, body: object = None) -> None:
    """Change something at a node."""
    answer = node.call(method, f"/admin/v1{path}", body)
    assert answer.is_success, answer.text


def check_known_within_a_second(
    world: World,
    customer: Customer,
    do: Callable[[Node], None],
    is_new: Callable[[Answer], bool],
    ask: Callable[[Node, Customer], Answer] = asked,
) -> None:
    """What the first node is told, all others act by, a second after its answer at the latest."""
    first, *others = world.nodes
    for node in world.nodes:
        assert not is_new(ask(node, customer)), "there is something to become new"
    do(first)
    done = time.monotonic()
    seen: dict[str, float] = {}

    def is_everywhere() -> bool:
        for node in others:
            sent = time.monotonic()
            if not is_new(ask(node, customer)):
                late = sent - done
                assert late <= KNOWN_SECONDS_MAX, f"old after {late:.3f} s"
                seen.pop(node.url, None)
            else:
                seen.setdefault(node.url, sent - done)
        return len(seen) == len(others)

    until(is_everywhere, seconds_max=SEEN_SECONDS_MAX)


def test_a_key_revoked_at_one_node_is_refused_at_all(world: World) -> None:
    customer = customer_in(world, {})
    keys = f"/workspaces/{customer.profile_id}/keys"
    (key,) = world.nodes[0].call("GET", f"/admin/v1{keys}").json()["data"]
    check_known_within_a_second(
        world,
        customer,
        lambda node: change(node, "DELETE", f"{keys}/{key['key_id']}"),
        lambda told: told.get("status") == httpx.codes.UNAUTHORIZED,
    )


def test_sessions_ended_at_one_node_are_ended_at_all(world: World) -> None:
    customer = customer_in(world, {})
    # All nodes have one secret, so each knows the session that another has begun.
    begun = sign_in_by_key(world.nodes[-1].url, customer.seats[0].key)

    def seen(node: Node, _: Customer) -> Answer:
        answer = node.call("GET", "/dashboard", headers={"Cookie": begun.cookie})
        assert answer.status_code in {httpx.codes.OK, httpx.codes.SEE_OTHER}, answer.text
        return {"status": answer.status_code}

    check_known_within_a_second(
        world,
        customer,
        lambda node: change(node, "DELETE", f"/workspaces/{customer.profile_id}/links"),
        lambda told: told["status"] == httpx.codes.SEE_OTHER,
        seen,
    )


def test_a_limit_lowered_at_one_node_holds_at_all(world: World) -> None:
    customer = customer_in(world, {"limits": {"api": {"hour": 100}}})
    slug = f"storm-{world.shop.made}"
    check_known_within_a_second(
        world,
        customer,
        lambda node: change(node, "PATCH", f"/plans/{slug}", {"limits": {"api": {"hour": 0}}}),
        lambda told: told.get("denied_by") == "hour",
    )


def test_a_plan_changed_at_one_node_is_the_plan_at_all(world: World) -> None:
    customer = customer_in(world, {})
    shut = {"slug": f"shut-{world.shop.made}", "name": "Shut", "is_api_access_available": False}
    # More of a plan comes at once; less would wait for the next period.
    world.nodes[0].make("/plans", {"credits_per_month": 2 * RICH, **shut})
    path = f"/workspaces/{customer.profile_id}"
    check_known_within_a_second(
        world,
        customer,
        lambda node: change(node, "PATCH", path, {"plan": shut["slug"]}),
        lambda told: told.get("status") == httpx.codes.FORBIDDEN,
    )


def test_a_price_changed_at_one_node_is_the_price_at_all(world: World) -> None:
    customer = customer_in(world, {})
    slug = f"storm-{world.shop.made}"
    check_known_within_a_second(
        world,
        customer,
        lambda node: change(node, "PATCH", f"/plans/{slug}", {"prices": {SLUG: 7}}),
        lambda told: told.get("held_credits") == 7,
    )


def test_credits_granted_at_one_node_can_be_spent_at_all(world: World) -> None:
    customer = customer_in(world, {"credits_per_month": 0})
    path = f"/workspaces/{customer.profile_id}/grants"
    grant = {"credits": 1_000, "kind": "topup"}
    check_known_within_a_second(
        world,
        customer,
        lambda node: change(node, "POST", path, grant),
        lambda told: bool(told["allowed"]),
    )

"""What several threads ask at once: nothing that was worked out before a change outlives it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from farebox.core.errors import INVALID_KEY
from farebox.engine.holds import Hold
from farebox.service.admit import Attempt, Refused
from farebox.service.settle import Outcome
from farebox.service.tariff import Tariff
from tests.support.gates import GateWorld
from tests.support.harness import Harness
from tests.support.homes import Home

MICRO = 1_000_000


@pytest.fixture
def world(home: Home) -> Iterator[GateWorld]:
    with Harness(home) as harness:
        harness.log_type("search", credits=3)
        yield GateWorld(harness)


def test_a_key_that_was_found_before_it_was_revoked_is_refused_from_then_on(
    world: GateWorld,
) -> None:
    harness = world.harness
    profile_id = harness.workspace()
    key_id = harness.key(profile_id)
    found = harness.directory.keys[key_id]
    attempt = Attempt(found, "search", None, None)

    async def run() -> tuple[Hold | Refused, Hold | Refused]:
        before = await world.admitter.decide(attempt, harness.now_ms)
        harness.call("keys.revoke", profile_id=profile_id, key_id=key_id)
        # The thread had looked its key up before it was revoked; another one comes after.
        late = await world.admitter.decide(attempt, harness.now_ms)
        assert isinstance(late, Refused)
        assert late.denial.kind is INVALID_KEY
        return before, await world.admit(key_id, "search")

    before, after = asyncio.run(run())
    assert isinstance(before, Hold)
    assert isinstance(after, Refused)
    assert after.denial.kind is INVALID_KEY


def test_a_price_is_that_of_the_plan_the_workspace_has_now(world: GateWorld) -> None:
    harness = world.harness
    profile_id = harness.workspace()
    harness.call(
        "plans.create", slug="gold", name="G", credits_per_month=2_000, prices={"search": 7}
    )
    tariff, found = Tariff(harness.directory), harness.directory.workspaces[profile_id]
    log_type_id = harness.directory.log_type_by_slug["search"].log_type_id
    assert tariff.price(found, log_type_id, harness.now_ms).credits_micro == 3 * MICRO
    harness.call("workspaces.change", profile_id=profile_id, plan="gold")
    # As above: found before, asked after.
    assert tariff.price(found, log_type_id, harness.now_ms).credits_micro == 7 * MICRO


def test_no_two_threads_are_given_the_same_identity(world: GateWorld) -> None:
    harness = world.harness
    key = harness.directory.keys[harness.key(harness.workspace())]
    attempt = Attempt(key, "search", None, None)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:

        def some(_: int) -> list[bytes]:
            found = [world.admitter._found(attempt, harness.now_ms) for _ in range(2_000)]
            return [one[1].identity for one in found if not isinstance(one, Refused)]

        with ThreadPoolExecutor(8) as pool:
            identities = [identity for part in pool.map(some, range(8)) for identity in part]
    finally:
        sys.setswitchinterval(interval)
    assert len(identities) == len(set(identities)) == 8 * 2_000


def test_the_log_entry_of_a_call_is_known_before_its_end(world: GateWorld) -> None:
    harness = world.harness
    key_id = harness.key(harness.workspace())

    async def run() -> None:
        hold = await world.admitted(key_id, "search")
        row = world.row(hold, Outcome(status_code=200))
        again = world.row(hold, Outcome(status_code=500))
        assert row.query_log_id == again.query_log_id
        other = world.row(await world.admitted(key_id, "search"))
        assert other.query_log_id != row.query_log_id

    asyncio.run(run())

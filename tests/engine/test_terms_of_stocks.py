"""What was drawn under terms that are no more: it goes back, and counts as long as it is held."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from farebox.core.errors import STORE_UNAVAILABLE, FareboxError
from farebox.engine.gate import RECHECK_MS
from farebox.engine.holds import Hold
from farebox.engine.messages import Draw, Message
from farebox.service.admit import Refused
from tests.support.gates import SENT, GateWorld
from tests.support.homes import Home
from tests.support.truth import differences
from tests.support.worlds import World

SLUG = "people_search"
PRICE = 3


@pytest.fixture
def world(home: Home) -> Iterator[World]:
    with World(home) as made:
        made.log_type(SLUG, credits=PRICE)
        yield made


async def admit_all(gate: GateWorld, key_id: str) -> list[Hold]:
    """Admit as long as that goes."""
    holds = []
    while isinstance(hold := await gate.admit(key_id, SLUG), Hold):
        holds.append(hold)
    assert isinstance(hold, Refused)
    return holds


def test_a_lower_cap_holds_at_once_whichever_key_is_asked_for_first(world: World) -> None:
    world.call("plans.create", slug="basic", name="Basic", credits_per_month=3_000)
    profile_id = world.workspace()
    capped, other = world.key(profile_id, credits_cap=600), world.key(profile_id)

    async def story() -> None:
        gate = GateWorld(world)
        used = 0
        for _ in range(40):
            await gate.settle(await gate.admitted(capped, SLUG))
            used += PRICE
        world.call("keys.change", profile_id=profile_id, key_id=capped, credits_cap=used)
        await gate.settle(await gate.admitted(other, SLUG))
        assert await admit_all(gate, capped) == []

    asyncio.run(story())
    assert not differences(world.db)


def test_who_waits_by_a_cap_that_is_lifted_is_told_to_come_again(world: World) -> None:
    world.call("plans.create", slug="basic", name="Basic", credits_per_month=3_000)
    profile_id = world.workspace()
    key_id = world.key(profile_id, credits_cap=PRICE)

    async def story() -> None:
        gate = GateWorld(world)
        await gate.settle(await gate.admitted(key_id, SLUG))
        assert isinstance(await gate.admit(key_id, SLUG), Refused)
        draws = 0

        def lifts(moment: str, message: Message) -> bool:
            nonlocal draws
            draws += moment == SENT and isinstance(message, Draw)
            if draws == 1:
                world.call("keys.change", profile_id=profile_id, key_id=key_id, credits_cap=None)
            return False

        gate.link.loses = lifts
        world.clock.advance(RECHECK_MS)
        with pytest.raises(FareboxError) as refused:
            await gate.admit(key_id, SLUG)
        assert refused.value.kind is STORE_UNAVAILABLE
        assert draws == 1, "it isn't asked for again and again"
        await gate.settle(await gate.admitted(key_id, SLUG))

    asyncio.run(story())
    assert not differences(world.db)


@pytest.mark.parametrize("is_shared", [False, True])
def test_what_is_held_counts_however_quotas_are_shared_since(
    world: World, *, is_shared: bool
) -> None:
    limit = 8
    world.call(
        "plans.create",
        slug="basic",
        name="Basic",
        credits_per_month=3_000,
        limits={"api": {"hour": limit}},
        requests_per_minute=limit,
        is_quota_sharing_available=True,
    )
    profile_id = world.workspace(is_quota_sharing_enabled=is_shared)
    key_id = world.key(profile_id)

    async def story() -> None:
        gate = GateWorld(world)
        held = await admit_all(gate, key_id)
        assert len(held) == limit
        world.call(
            "workspaces.change", profile_id=profile_id, is_quota_sharing_enabled=not is_shared
        )
        held += await admit_all(gate, key_id)
        for hold in held:
            await gate.settle(hold)
        assert gate.spent(profile_id, "hour").used == limit

    asyncio.run(story())
    assert not differences(world.db)

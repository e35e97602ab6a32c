"""A void that meets a recorder which has begun anew: its unit is free once, not twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from farebox.engine.holds import Hold
from tests.support.gates import GateWorld
from tests.support.homes import Home
from tests.support.worlds import World

SLUG = "people_search"
LIMIT = 5


@pytest.fixture
def world(home: Home) -> Iterator[World]:
    with World(home) as made:
        made.log_type(SLUG, credits=3)
        made.call(
            "plans.create",
            slug="basic",
            name="Basic",
            credits_per_month=300,
            limits={"api": {"hour": LIMIT}},
        )
        yield made


def test_a_void_after_the_recorder_began_anew_gives_its_unit_back_once(world: World) -> None:
    profile_id = world.workspace()
    key_id = world.key(profile_id)

    async def story() -> None:
        gate, other = GateWorld(world), GateWorld(world)
        hold = await gate.admitted(key_id, SLUG)
        world.recorder.end()
        world.settle()
        # The process still trusts its memory for a moment, and can't know.
        await gate.void(hold)
        admitted = 0
        for process in (other, gate):
            while isinstance(await process.admit(key_id, SLUG), Hold):
                admitted += 1
        assert admitted <= LIMIT

    asyncio.run(story())

"""The instant of a request lies in the window that its unit is of."""

from __future__ import annotations

import asyncio

from farebox.core.instant import MS_PER_HOUR
from farebox.service.admit import Attempt
from tests.support.gates import GateWorld
from tests.support.homes import Home
from tests.support.worlds import World

SLUG = "people_search"
LIMIT = 10


def test_a_thread_that_took_the_time_before_a_window_began_takes_no_unit_of_it(
    home: Home,
) -> None:
    """It looked at the clock, and was held up while another one drew for the next window."""
    with World(home) as world:
        world.log_type(SLUG, credits=3)
        world.call(
            "plans.create",
            slug="basic",
            name="Basic",
            credits_per_month=300,
            limits={"api": {"hour": LIMIT}},
        )
        key_id = world.key(world.workspace())
        attempt = Attempt(world.directory.keys[key_id], SLUG, None, None)

        async def story() -> None:
            gate = GateWorld(world)
            for _ in range(LIMIT):
                await gate.settle(await gate.admitted(key_id, SLUG))
            world.advance(MS_PER_HOUR - 1)
            early_ms = world.now_ms
            world.advance(1)
            await gate.void(await gate.admitted(key_id, SLUG))
            assert gate.admitter.decide_now(attempt, early_ms) is None
            assert gate.admitter.decide_now(attempt, world.now_ms) is not None

        asyncio.run(story())

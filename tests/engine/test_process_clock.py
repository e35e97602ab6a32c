"""A process's clock: it takes the recorder's time, but never while something hangs on its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from farebox.core.instant import MS_PER_HOUR
from farebox.engine.clock import AHEAD_MS_MAX
from farebox.engine.leases import TRUST_MS
from tests.support.gates import HOLD_MS, GateWorld, HandLink
from tests.support.harness import HandClock
from tests.support.homes import Home
from tests.support.worlds import MICRO, World

SLUG = "people_search"
CREDITS = 300
TICK_MS = 400


@pytest.fixture
def world(home: Home) -> Iterator[World]:
    with World(home) as made:
        made.log_type(SLUG, credits=3)
        made.call("plans.create", slug="basic", name="Basic", credits_per_month=CREDITS)
        yield made


def test_a_process_that_began_after_the_wall_clock_stepped_admits_at_the_recorders_time(
    world: World,
) -> None:
    key_id = world.key(world.workspace())
    stepped = HandClock(world.now_ms + MS_PER_HOUR)

    async def story() -> None:
        hold = await GateWorld(world, real=(HandLink(world), stepped)).admitted(key_id, SLUG)
        assert stepped.now_ms() == world.now_ms
        assert hold.time_ms <= world.now_ms

    asyncio.run(story())


def test_a_hold_lasts_as_long_as_ever_when_the_clock_is_set_back(world: World) -> None:
    key_id = world.key(world.workspace())
    began_ms = world.now_ms
    ahead = HandClock(began_ms)

    async def story() -> None:
        gate = GateWorld(world, real=(HandLink(world), ahead))
        hold = await gate.admitted(key_id, SLUG)
        # The recorder is started anew, and is half a minute behind.
        ahead.advance(HOLD_MS // 2)
        world.reopen()
        for _ in range(2):
            await gate.gatekeeper._drawn()
        assert ahead.now_ms() == world.now_ms < began_ms + HOLD_MS // 2
        for passed_ms, is_open in ((HOLD_MS // 2 - 1, True), (1, False)):
            ahead.advance(passed_ms)
            world.advance(passed_ms)
            await gate.gatekeeper._drawn()
            assert hold.is_open == is_open
        await gate.admitted(key_id, SLUG)

    asyncio.run(story())


def test_a_recorder_that_follows_another_clock_keeps_credits_held_as_long_as_ever(
    world: World,
) -> None:
    profile_id = world.workspace()
    key_id = world.key(profile_id)

    async def story() -> None:
        gate = GateWorld(world)
        await gate.admitted(key_id, SLUG)
        world.recorder.end()
        gate.restart()
        world.settle()
        held_micro = gate.drawn_micro(profile_id)
        assert held_micro >= 3 * MICRO
        ahead = HandClock(world.now_ms + AHEAD_MS_MAX)
        await GateWorld(world, real=(HandLink(world), ahead)).gatekeeper._drawn()
        followed_ms = world.now_ms
        for _ in range(HOLD_MS // TICK_MS):
            world.advance(TICK_MS)
        assert world.now_ms == followed_ms + HOLD_MS
        assert gate.drawn_micro(profile_id) == held_micro
        world.advance(TRUST_MS + TICK_MS)
        assert gate.drawn_micro(profile_id) == 0

    asyncio.run(story())

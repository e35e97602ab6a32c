"""Ends of holds that go wrong: what was held is free again, in the process and in the books."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from farebox.core.errors import QUEUE_FULL, FareboxError
from farebox.engine.messages import Message, Record
from tests.support.gates import HOLD_MS, SENT, GateWorld
from tests.support.homes import Home
from tests.support.truth import differences
from tests.support.worlds import MICRO, World

SLUG = "people_search"
LIMIT = 1_000


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


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_a_hold_that_expires_while_its_settlement_is_refused_is_free_again(world: World) -> None:
    profile_id = world.workspace()
    key_id = world.key(profile_id)

    async def story() -> None:
        gate = GateWorld(world)
        hold = await gate.admitted(key_id, SLUG)
        world.clock.advance(HOLD_MS - 1)
        await gate.gatekeeper.renew()

        def passes(moment: str, message: Message) -> bool:
            if moment == SENT and isinstance(message, Record):
                # While it is on its way, its time is over, and somebody looks at that.
                world.clock.advance(1)
                gate.gatekeeper._gate.wants(world.now_ms)
                raise FareboxError(QUEUE_FULL, retry_after_seconds=1)
            return False

        gate.link.loses = passes
        with pytest.raises(FareboxError):
            await gate.settle(hold)
        gate.link.loses = lambda _moment, _message: False
        assert gate.gatekeeper.held(profile_id).micro == 0
        # All of it can be had: nothing is held any more.
        for _ in range(300 // 3):
            await gate.settle(await gate.admitted(key_id, SLUG))
        assert world.balance_micro(profile_id) == 0

    run(story())
    assert not differences(world.db)


def test_a_request_recorded_before_under_its_id_gives_back_what_it_took(world: World) -> None:
    """A gateway asks again under an id whose request was recorded by a process that has gone."""
    profile_id = world.workspace()
    key_id = world.key(profile_id)

    async def story() -> None:
        first = GateWorld(world)
        hold = await first.admitted(key_id, SLUG, request_id="one")
        assert not (await first.gatekeeper.record([(hold, first.row(hold))])).duplicates
        world.advance(HOLD_MS + 10_000)
        again = GateWorld(world)
        for _ in range(20):
            hold = await again.admitted(key_id, SLUG, request_id="one")
            recorded = await again.gatekeeper.record([(hold, again.row(hold))])
            assert recorded.duplicates == [0]
            world.advance(HOLD_MS + 10_000)
            again.gatekeeper.decide_now(hold.ask, world.now_ms)
        await again.gatekeeper.close()
        await first.gatekeeper.close()
        assert again.drawn_micro(profile_id) == 0
        assert again.spent(profile_id, "hour") == (1, 0)

    run(story())
    assert world.balance_micro(profile_id) == 297 * MICRO
    assert not differences(world.db)


def test_a_request_that_is_recorded_after_its_hold_expired_takes_no_credits_of_others(
    world: World,
) -> None:
    """What waited too long to be recorded is charged as reported usage."""
    profile_id = world.workspace()
    key_id = world.key(profile_id)

    async def story() -> None:
        gate = GateWorld(world)
        late = await gate.admitted(key_id, SLUG)
        world.clock.advance(HOLD_MS + 1)
        others = [await gate.admitted(key_id, SLUG) for _ in range(100)]
        await gate.gatekeeper.record([(late, gate.row(late))])
        assert gate.drawn_micro(profile_id) == 300 * MICRO, "what is held is still there"
        assert [await gate.settle(other) for other in others][-1] == -3 * MICRO
        assert gate.drawn_micro(profile_id) == 0

    run(story())
    assert not differences(world.db)

"""Ends of holds that others have a part in: another process, or a caller who has gone.

Whatever order they come in, what is held for somebody stays held, and nothing is kept for nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import pytest

from farebox.core.errors import FareboxError
from farebox.engine.holds import Hold
from farebox.engine.leases import SILENT_MS
from farebox.engine.messages import Answered, Drawn, Message, Record, Recorded, Voided
from farebox.engine.reservation import Reservation
from farebox.service.admit import Refused
from tests.support.gates import HOLD_MS, GateWorld, HandLink
from tests.support.harness import Harness
from tests.support.homes import Home
from tests.support.truth import differences
from tests.support.worlds import MICRO, World

SLUG = "people_search"
PRICE, CREDITS = 3, 6
TICK_MS = 400


@pytest.fixture
def world(home: Home) -> Iterator[World]:
    with World(home) as made:
        made.log_type(SLUG, credits=PRICE)
        made.call(
            "plans.create",
            slug="basic",
            name="Basic",
            credits_per_month=CREDITS,
            limits={"api": {"hour": 100}},
        )
        yield made


def test_a_void_after_expiry_takes_nothing_of_what_is_held_for_others_since(world: World) -> None:
    profile_id = world.workspace()
    key_id = world.key(profile_id)

    async def story() -> None:
        first, second = GateWorld(world), GateWorld(world)
        expired = [await first.admitted(key_id, SLUG) for _ in range(2)]
        world.clock.advance(HOLD_MS + 1)
        held = [await first.admitted(key_id, SLUG) for _ in range(2)]
        # Their process is killed.
        for _ in range(SILENT_MS // TICK_MS + 2):
            world.advance(TICK_MS)
        for hold in expired:
            await second.void(hold)
        assert second.drawn_micro(profile_id) == CREDITS * MICRO, "what is held is still there"
        assert [await second.settle(hold) for hold in held][-1] == 0
        assert second.drawn_micro(profile_id) == 0

    asyncio.run(story())
    assert not differences(world.db)


def test_what_another_process_has_settled_is_free_again_where_it_was_held(world: World) -> None:
    """The other one's settlement is charged as reported usage: it took nothing of the hold."""
    profile_id = world.workspace()
    key_id = world.key(profile_id)
    world.give(profile_id, 30 * MICRO)

    async def story() -> None:
        first, second = GateWorld(world), GateWorld(world)
        hold = await first.admitted(key_id, SLUG)
        row = first.row(hold)
        await second.gatekeeper.settle(Reservation.of(hold), row)
        await first.gatekeeper.settle(Reservation.of(hold), row)
        await first.gatekeeper.close()
        assert first.drawn_micro(profile_id) == 0
        assert first.spent(profile_id, "hour") == (1, 0)

    asyncio.run(story())
    assert not differences(world.db)


@pytest.mark.parametrize("is_settled", [True, False], ids=["settled", "voided"])
def test_a_process_that_slept_past_the_end_of_a_hold_frees_nothing_that_was_ended_elsewhere(
    world: World, *, is_settled: bool
) -> None:
    """It hears of the end, and by then the hold's time is over: a machine that was suspended."""
    profile_id = world.workspace()
    key_id = world.key(profile_id)

    async def story() -> None:
        first, second = GateWorld(world), GateWorld(world)
        hold = await first.admitted(key_id, SLUG)
        await (second.settle(hold) if is_settled else second.void(hold))
        world.clock.advance(HOLD_MS + 1)
        left = CREDITS // PRICE - is_settled
        asked = [await first.admit(key_id, SLUG) for _ in range(left + 1)]
        held = [one for one in asked if isinstance(one, Hold)]
        assert len(held) == left
        for one in held:
            await first.settle(one)
        assert first.drawn_micro(profile_id) == 0

    asyncio.run(story())
    assert world.balance_micro(profile_id) == 0
    assert not differences(world.db)


class HaltingLink(HandLink):
    """A link whose first record is done, and answered never."""

    def __init__(self, harness: Harness) -> None:
        super().__init__(harness)
        self.halted = asyncio.Event()

    async def _ask(self, message: Message) -> Recorded | Answered | Drawn | Voided:
        reply = await super()._ask(message)
        if isinstance(message, Record) and not self.halted.is_set():
            self.halted.set()
            await asyncio.Event().wait()
        return reply


def test_who_stops_waiting_for_a_record_gives_back_nothing_that_is_held(world: World) -> None:
    """A queue that is closed gives up on the record under way, and records the same again."""
    profile_id = world.workspace()
    key_id = world.key(profile_id)

    async def story() -> None:
        gate = GateWorld(world, real=(link := HaltingLink(world), world.clock))
        done, held = await gate.admitted(key_id, SLUG), await gate.admitted(key_id, SLUG)
        work = asyncio.create_task(gate.gatekeeper.record([(done, row := gate.row(done))]))
        await link.halted.wait()
        work.cancel()
        await asyncio.wait([work])
        assert (await gate.gatekeeper.record([(done, row)])).duplicates == [0]
        await gate.gatekeeper.close()
        assert gate.drawn_micro(profile_id) == PRICE * MICRO, "what is held is still there"
        other = GateWorld(world)
        assert isinstance(await other.admit(key_id, SLUG), Refused)
        assert await other.settle(held) == 0

    asyncio.run(story())
    assert not differences(world.db)


@pytest.mark.parametrize("is_settled", [False, True])
def test_what_another_process_has_ended_by_a_lease_that_is_over_is_free_nowhere_else(
    world: World, *, is_settled: bool
) -> None:
    """The recorder begins anew, which the first process does not know for a moment."""
    profile_id = world.workspace()
    key_id = world.key(profile_id)

    async def story() -> None:
        first, second = GateWorld(world), GateWorld(world)
        holds = [await first.admitted(key_id, SLUG) for _ in range(2)]
        world.reopen()
        if is_settled:
            await second.settle(holds[0])
        else:
            await second.void(holds[0])
            await second.settle(await second.admitted(key_id, SLUG))
        with suppress(FareboxError):
            await first.settle(holds[0])
        assert isinstance(await first.admit(key_id, SLUG), Refused)
        assert await second.settle(holds[1]) == 0

    asyncio.run(story())
    assert world.balance_micro(profile_id) == 0
    assert not differences(world.db)

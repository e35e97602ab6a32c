"""What reservations hold is told by all processes alike, whichever of them holds it.

One renewal of each tells it at a node, two where another node has to read it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from farebox.core.errors import FareboxError
from farebox.engine.leases import SILENT_MS
from farebox.engine.nodes import RENEW_MS
from farebox.service.credits_now import credits_now
from tests.support.gates import DONE, HOLD_MS, SENT, GateWorld
from tests.support.homes import Home, Homes
from tests.support.nodes import Fleet
from tests.support.worlds import MICRO, World

SLUG = "people_search"
PRICE, CREDITS = 3, 60
TICK_MS = 400


@pytest.fixture
def world(home: Home) -> Iterator[World]:
    with World(home) as made:
        sell(made)
        yield made


def sell(world: World) -> None:
    world.log_type(SLUG, credits=PRICE)
    world.call("plans.create", slug="basic", name="Basic", credits_per_month=CREDITS)


def left(gate: GateWorld, profile_id: int = 1) -> int:
    """The credits that a process tells of."""
    now_ms = gate.harness.now_ms
    now = credits_now(gate.harness.reader, profile_id, now_ms, gate.gatekeeper.held)
    return now.left_micro(now_ms) // MICRO


async def renew(*gates: GateWorld) -> None:
    """What processes and nodes do a few times a second; the last one's news are told, too."""
    for gate in (*gates, *gates):
        recorder = gate.harness.recorder
        if recorder._session is not None and not recorder._session.db.is_alone:
            recorder._renew(recorder._session)
        await gate.gatekeeper.renew()


async def pass_time(world: World, milliseconds: int, *gates: GateWorld) -> None:
    """Let time pass for processes that are there."""
    for _ in range(milliseconds // TICK_MS):
        world.advance(TICK_MS)
        await renew(*gates)


def test_processes_of_a_node_tell_the_same_while_reservations_are_open(world: World) -> None:
    key_id = world.key(world.workspace())

    async def story() -> None:
        first, second, third = gates = [GateWorld(world) for _ in range(3)]
        one, two = await first.admitted(key_id, SLUG), await second.admitted(key_id, SLUG)
        three = await first.admitted(key_id, SLUG)
        await renew(*gates)
        assert [left(gate) for gate in gates] == [CREDITS - 3 * PRICE] * 3
        await first.settle(one)
        assert left(first) == CREDITS - 3 * PRICE
        await second.void(two)
        await renew(*gates)
        assert [left(gate) for gate in gates] == [CREDITS - 2 * PRICE] * 3
        await third.settle(three)
        await renew(*gates)
        assert [left(gate) for gate in gates] == [CREDITS - 2 * PRICE] * 3
        await first.admitted(key_id, SLUG)
        await pass_time(world, HOLD_MS - TICK_MS, *gates)
        assert [left(gate) for gate in gates] == [CREDITS - 3 * PRICE] * 3
        await pass_time(world, TICK_MS, *gates)
        assert [left(gate) for gate in gates] == [CREDITS - 2 * PRICE] * 3

    asyncio.run(story())


def test_what_a_process_knew_of_itself_needs_no_renewal(world: World) -> None:
    key_id = world.key(world.workspace())

    async def story() -> None:
        gate = GateWorld(world)
        hold = await gate.admitted(key_id, SLUG)
        assert left(gate) == CREDITS - PRICE
        await gate.void(hold)
        assert left(gate) == CREDITS

    asyncio.run(story())


def test_what_a_killed_process_had_drawn_is_held_for_its_longest_reservation(
    world: World,
) -> None:
    """And not what it held only: nobody can be admitted by the rest."""
    key_id = world.key(world.workspace())

    async def story() -> None:
        killed, other = GateWorld(world), GateWorld(world)
        hold, *others = [await killed.admitted(key_id, SLUG) for _ in range(3)]
        for one in others:
            await killed.void(one)
        await renew(killed, other)
        drawn = -(-killed.drawn_micro(1) // MICRO)
        assert drawn > PRICE
        assert left(other) == CREDITS - PRICE
        world.recorder.hang_up(killed.gatekeeper._gate.lease_id)
        world.settle()
        await renew(other)
        assert left(other) == CREDITS - drawn
        await other.settle(hold)
        await renew(other)
        assert left(other) == CREDITS - drawn
        await pass_time(world, HOLD_MS, other)
        assert left(other) == CREDITS - drawn
        await pass_time(world, 4 * TICK_MS, other)
        assert left(other) == CREDITS - PRICE
        for _ in range((CREDITS - PRICE) // PRICE):
            await other.admitted(key_id, SLUG)
        assert left(other) == 0

    asyncio.run(story())


@pytest.mark.parametrize("moment", [SENT, DONE])
def test_what_is_held_by_a_lease_that_was_given_up_is_still_told(world: World, moment: str) -> None:
    key_id = world.key(world.workspace())

    async def story() -> None:
        first, second = gates = GateWorld(world), GateWorld(world)
        hold = await first.admitted(key_id, SLUG)
        await renew(*gates)
        first.link.loses = lambda at, _message: at == moment
        with pytest.raises(FareboxError):
            await first.gatekeeper.renew()
        told = [left(gate) for gate in gates]
        # What was lost on its way there has ended nothing: the other one doesn't know.
        assert told == [CREDITS - PRICE] * 2 if moment == SENT else min(told) >= CREDITS - 2 * PRICE
        first.link.loses = lambda _moment, _message: False
        await pass_time(world, SILENT_MS + TICK_MS, *gates)
        assert [left(gate) for gate in gates] == [CREDITS - PRICE] * 2
        await second.void(hold)
        await renew(*gates)
        assert [left(gate) for gate in gates] == [CREDITS] * 2

    asyncio.run(story())


def test_who_begins_later_is_told_what_others_hold_already(world: World) -> None:
    key_id = world.key(world.workspace())

    async def story() -> None:
        first = GateWorld(world)
        await first.admitted(key_id, SLUG)
        await renew(first)
        second = GateWorld(world)
        await renew(second)
        assert left(second) == left(first) == CREDITS - PRICE

    asyncio.run(story())


def test_a_recorder_that_begins_anew_makes_nobody_tell_more_or_less(world: World) -> None:
    """All leases are over: what they had drawn is held, and what is free of it comes back."""
    key_id = world.key(world.workspace())

    async def story() -> None:
        gates = GateWorld(world), GateWorld(world)
        await gates[0].admitted(key_id, SLUG)
        await renew(*gates)
        world.reopen()
        for _ in range(3):
            await renew(*gates)
        assert [left(gate) for gate in gates] == [CREDITS - PRICE] * 2

    asyncio.run(story())


# -- nodes -----------------------------------------------------------------------------------------


@pytest.fixture
def fleet(homes: Homes) -> Iterator[Fleet]:
    with Fleet(homes, 2) as made:
        sell(made.nodes[0])
        yield made


async def renew_all(fleet: Fleet, *gates: GateWorld) -> None:
    """Every process renews, and every node."""
    for _ in range(2):
        fleet.pass_time(RENEW_MS)
        await renew(*gates)


def test_processes_of_all_nodes_tell_the_same_while_reservations_are_open(fleet: Fleet) -> None:
    first_node, second_node = fleet.nodes
    key_id = first_node.key(first_node.workspace())

    async def story() -> None:
        for node in fleet.nodes:
            node.settle()
        gates = [GateWorld(first_node), GateWorld(first_node), GateWorld(second_node)]
        holds = [await gate.admitted(key_id, SLUG) for gate in gates]
        await renew_all(fleet, *gates)
        assert [left(gate) for gate in gates] == [CREDITS - 3 * PRICE] * 3
        await gates[0].settle(holds[0])
        await gates[2].void(holds[2])
        await gates[2].settle(holds[1])
        await renew_all(fleet, *gates)
        assert [left(gate) for gate in gates] == [CREDITS - 2 * PRICE] * 3
        assert not fleet.select("select * from node_holdings")

    asyncio.run(story())


def test_what_a_node_holds_that_falls_silent_is_told_once_and_as_drawn_from_then_on(
    fleet: Fleet,
) -> None:
    gone_node, other_node = fleet.nodes
    key_id = gone_node.key(gone_node.workspace())

    async def story() -> None:
        other_node.settle()
        gone, other = GateWorld(gone_node), GateWorld(other_node)
        await gone.admitted(key_id, SLUG)
        await renew_all(fleet, gone, other)
        drawn = gone.drawn_micro(1) // MICRO
        assert left(other) == CREDITS - PRICE
        for _ in range(2 * SILENT_MS // RENEW_MS):
            fleet.pass_time(RENEW_MS, ticking=[other_node])
            await renew(other)
            assert left(other) in (CREDITS - PRICE, CREDITS - drawn)
        assert left(other) == CREDITS - drawn
        assert not fleet.select("select * from node_holdings")
        for _ in range(3):
            fleet.pass_time(HOLD_MS, ticking=[other_node])
        await renew(other)
        assert left(other) == CREDITS

    asyncio.run(story())


def test_a_node_that_begins_anew_holds_nothing_twice(fleet: Fleet) -> None:
    """What it told before goes with the node that it was."""
    restarted, other_node = fleet.nodes
    key_id = restarted.key(restarted.workspace())

    async def story() -> None:
        other_node.settle()
        gates = GateWorld(restarted), GateWorld(other_node)
        await gates[0].admitted(key_id, SLUG)
        await renew_all(fleet, *gates)
        restarted.recorder.close()
        fleet.pass_time(0)
        for _ in range(3):
            await renew_all(fleet, *gates)
        assert [left(gate) for gate in gates] == [CREDITS - PRICE] * 2

    asyncio.run(story())

"""Leases: what becomes of one when nobody answers for it any more."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from farebox.engine.leases import SILENT_MS, SWEEP_EVERY_MS, TRUST_MS
from farebox.service.admit import Refused
from tests.support.gates import HOLD_MS, GateWorld
from tests.support.homes import Home
from tests.support.worlds import World

SLUG = "people_search"
TICK_MS = 400


@pytest.fixture
def world(home: Home) -> Iterator[World]:
    with World(home) as made:
        made.log_type(SLUG, credits=3)
        made.call("plans.create", slug="basic", name="Basic", credits_per_month=300)
        yield made


def let_pass(world: World, milliseconds: int) -> None:
    """Let time pass as it does for a recorder that runs."""
    for _ in range(milliseconds // TICK_MS + 1):
        world.advance(TICK_MS)


def test_a_lease_that_nothing_is_left_of_is_forgotten_and_no_other_ends(world: World) -> None:
    profile_id = world.workspace()
    key_id = world.key(profile_id)

    async def story() -> None:
        gate = GateWorld(world)
        await gate.admitted(key_id, SLUG)
        # All of it is killed, and begins anew.
        let_pass(world, 2 * SILENT_MS)
        world.recorder.end()
        gate.restart()
        world.settle()
        await gate.admitted(key_id, SLUG)
        # Nothing is held any more.
        for _ in range((HOLD_MS + TRUST_MS) // TICK_MS + 1):
            world.advance(TICK_MS)
            await gate.gatekeeper._drawn()
        alive = gate.gatekeeper._gate.lease_id
        for _ in range(2 * SWEEP_EVERY_MS // TICK_MS):
            world.advance(TICK_MS)
            await gate.gatekeeper._drawn()
        assert world.select("select lease_id, ended_at_ms from leases") == [(alive, None)]

    asyncio.run(story())


def test_a_process_that_wakes_up_when_its_lease_is_forgotten_spends_nothing_of_it(
    world: World,
) -> None:
    profile_id = world.workspace()
    key_id = world.key(profile_id)

    async def story() -> None:
        gate, other = GateWorld(world), GateWorld(world)
        for _ in range(4):
            world.clock.advance(TICK_MS)
            await gate.settle(await gate.admitted(key_id, SLUG))
        asleep = gate.gatekeeper._gate.lease_id
        # It is stopped: its lease ends, what it had drawn returns, and nothing of it is left.
        let_pass(world, SILENT_MS + HOLD_MS + TRUST_MS + SWEEP_EVERY_MS)
        assert world.select("select * from leases") == []
        while not isinstance(await other.admit(key_id, SLUG), Refused):
            pass
        assert isinstance(await gate.admit(key_id, SLUG), Refused)
        assert gate.gatekeeper._gate.lease_id != asleep

    asyncio.run(story())


def test_nothing_is_kept_of_leases_that_have_come_and_gone(world: World) -> None:
    key_id = world.key(world.workspace())

    async def story() -> None:
        gate = GateWorld(world)
        for _ in range(20):
            await gate.gatekeeper._drawn()
            await gate.void(await gate.admitted(key_id, SLUG))
            await gate.gatekeeper.close()
            gate.restart()
            # One that only renews.
            await gate.gatekeeper._drawn()
            gate.restart()
        let_pass(world, HOLD_MS + 2 * SWEEP_EVERY_MS)

    asyncio.run(story())
    session = world.recorder._session
    assert session is not None
    assert world.select("select lease_id from leases") == []
    assert not session.leases._renewed_ms
    assert not session.draws._lots
    assert not session.draws._last_lot_ids


def test_a_sweep_that_finds_more_than_a_commit_may_hold_goes_on_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farebox.engine.leases.SWEPT_MAX", 2)
    limits = {"api": {"hour": 5, "day": 5, "month": 5}}
    world.call("plans.create", slug="many", name="Many", credits_per_month=9, limits=limits)
    key_id = world.key(world.workspace(plan="many"))

    async def story() -> None:
        gate = GateWorld(world)
        await gate.admitted(key_id, SLUG)
        await gate.gatekeeper.close()

    asyncio.run(story())
    let_pass(world, HOLD_MS + TRUST_MS + SWEEP_EVERY_MS)
    assert len(world.select("select lot_id from draws")) == 3
    world.advance(days=32)
    assert world.select("select lot_id from draws") == []
    assert world.select("select lease_id from leases") == []

"""A process that hangs up is over at once: what it had admitted is settled as its own was.

Whoever starts in its place need not wait until its silence is noticed; or each request that was
admitted before and is settled after would count twice in its windows until these close.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from farebox.engine.clock import SteadyClock, wall_ms
from farebox.engine.leases import TRUST_MS
from farebox.engine.link import Link
from farebox.engine.reservation import Reservation
from tests.support.faces import steady_zone
from tests.support.gates import GateWorld
from tests.support.recorders import nobody, on_a_thread, until
from tests.support.truth import differences
from tests.support.worlds import MICRO, World

HOLD_MS = 1_000
SLUG = "people_search"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, now_ms=wall_ms()) as made:
        made.log_type(SLUG, credits=3)
        limits = {"api": {"hour": 800}}
        made.call("plans.create", slug="basic", name="Basic", credits_per_month=300, limits=limits)
        made.recorder = made.new_recorder(SteadyClock())
        yield made


def process_of(world: World) -> tuple[GateWorld, Link]:
    link = Link(world.path, nobody())
    return GateWorld(world, hold_ms=HOLD_MS, real=(link, SteadyClock())), link


def test_what_a_process_that_hung_up_had_admitted_is_settled_in_its_place(world: World) -> None:
    profile_id = world.workspace(timezone=steady_zone(world.now_ms))
    key_id = world.key(profile_id)

    async def story() -> None:
        first, broken = process_of(world)
        holds = [await first.admitted(key_id, SLUG) for _ in range(2)]
        drawn = first.spent(profile_id, "hour").drawn
        assert drawn >= len(holds)
        assert broken._peer is not None
        broken._peer.hang_up()
        second, link = process_of(world)
        settled, voided = holds
        # At once: nobody has noticed its silence yet.
        await second.gatekeeper.settle(Reservation.of(settled), second.row(settled))
        assert second.spent(profile_id, "hour") == (1, drawn - 1)
        await second.gatekeeper.void(Reservation.of(voided))
        assert second.spent(profile_id, "hour") == (1, drawn - 2)
        await second.gatekeeper.close()
        await link.close()

    with on_a_thread(world):
        asyncio.run(story())
        gate = GateWorld(world)
        # Twice as long as it may take, less than silence would.
        seconds_max = 2 * (HOLD_MS + TRUST_MS) / 1000
        until(lambda: gate.drawn_micro(profile_id) == 0, seconds_max=seconds_max)
    assert world.balance_micro(profile_id) == 297 * MICRO
    assert not differences(world.db)

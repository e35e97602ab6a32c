"""What a gate does about terms that have changed since it heard of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import msgspec
import pytest

from farebox.core.errors import STORE_UNAVAILABLE
from farebox.engine.messages import Call, Draw, Message
from farebox.service.admit import Refused
from farebox.service.forms.workspace import WorkspaceChange
from tests.support.gates import SENT, GateWorld
from tests.support.homes import Home
from tests.support.stage import refusal
from tests.support.worlds import World

SLUG = "people_search"


@pytest.fixture
def world(home: Home) -> Iterator[World]:
    with World(home) as made:
        made.log_type(SLUG, credits=3)
        made.call(
            "plans.create",
            slug="basic",
            name="Basic",
            credits_per_month=300,
            limits={"api": {"hour": 10}},
        )
        yield made


def test_who_does_not_know_yet_who_shares_a_quota_does_not_go_on_asking(world: World) -> None:
    profile_id = world.workspace()
    key_id = world.key(profile_id)
    change = WorkspaceChange(profile_id=profile_id, is_quota_sharing_enabled=True)
    draws = []

    def counts(moment: str, message: Message) -> bool:
        if moment == SENT and isinstance(message, Draw):
            draws.append(message)
        return False

    async def story() -> None:
        gate = GateWorld(world)
        gate.link.loses = counts
        # Another process changes it; this one follows the change a moment later.
        packed = msgspec.msgpack.encode(change)
        world.recorder.handle([Call(0, "workspaces.change", packed, "another")])
        error = await refusal(gate.admit(key_id, SLUG))
        assert error.kind is STORE_UNAVAILABLE
        assert len(draws) == 2  # the first renews, the second asks
        world.directory.refresh(world.reader)
        await gate.admitted(key_id, SLUG)

    asyncio.run(story())


def test_what_is_given_back_above_a_lowered_limit_is_for_nobody(world: World) -> None:
    profile_id = world.workspace()
    key_id = world.key(profile_id)

    async def story() -> None:
        gate = GateWorld(world)
        holds = [await gate.admitted(key_id, SLUG) for _ in range(6)]
        world.call("plans.change", slug="basic", limits={"api": {"hour": 4}})
        assert isinstance(await gate.admit(key_id, SLUG), Refused)
        await gate.void(holds.pop())
        assert isinstance(await gate.admit(key_id, SLUG), Refused)
        for hold in holds[:2]:
            await gate.void(hold)
        await gate.admitted(key_id, SLUG)
        assert isinstance(await gate.admit(key_id, SLUG), Refused)

    asyncio.run(story())


def test_what_a_user_had_drawn_is_the_whole_workspaces_when_quotas_are_shared(world: World) -> None:
    profile_id = world.workspace()
    key_id = world.key(profile_id)

    async def story() -> None:
        gate = GateWorld(world)
        # It draws ahead of need, by its rate.
        await gate.admitted(key_id, SLUG)
        await gate.admitted(key_id, SLUG)
        world.call("plans.change", slug="basic", limits={"api": {"hour": 40}})
        for _ in range(3):
            await gate.admitted(key_id, SLUG)
        assert any(s.free for m in gate.gatekeeper._gate.room.meters.values() for s in m.stocks)
        world.call("workspaces.change", profile_id=profile_id, is_quota_sharing_enabled=True)
        for _ in range(35):
            await gate.admitted(key_id, SLUG)
        assert isinstance(await gate.admit(key_id, SLUG), Refused)

    asyncio.run(story())

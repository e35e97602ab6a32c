"""Lost replies between a gate and its recorder: what was drawn is neither doubled nor kept.

A message may be lost before the recorder has it, or its reply after it was done. What a lost reply
had carried counts as used of its window until that closes; its credits are held as long as the
longest reservation, and the moment that the process trusted its memory, then they return.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import pytest

from farebox.core.errors import FareboxError
from farebox.engine.clock import SteadyClock, wall_ms
from farebox.engine.holds import Hold
from farebox.engine.leases import SILENT_MS, TRUST_MS
from farebox.engine.link import Link
from farebox.engine.messages import Draw, Message
from farebox.engine.spawn import RecorderProcess, recorder_command
from farebox.service.audit import run_audit
from farebox.store.sqlite.database import open_reader
from tests.support.faces import steady_zone
from tests.support.gates import DONE, HOLD_MS, SENT, GateWorld
from tests.support.recorders import until
from tests.support.truth import differences
from tests.support.worlds import MICRO, World

SLUG = "people_search"
PRICE, CALLS = 3, 200
LIMIT = 500
TICK_MS = 250


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as made:
        yield made


def stock(world: World) -> tuple[int, str]:
    """A workspace with credits for some calls, and its key."""
    world.log_type(SLUG, credits=PRICE)
    world.call(
        "plans.create",
        slug="basic",
        name="Basic",
        credits_per_month=PRICE * CALLS,
        limits={"api": {"hour": LIMIT}},
    )
    profile_id = world.workspace(timezone=steady_zone(world.now_ms))
    return profile_id, world.key(profile_id)


def returned_after_ms(world: World, gate: GateWorld, profile_id: int, bound_ms: int) -> int:
    """How long it takes until nothing is drawn any more."""
    for waited_ms in range(0, bound_ms, TICK_MS):
        if not gate.drawn_micro(profile_id):
            return waited_ms
        world.clock.advance(TICK_MS)
        world.settle()
    message = f"still drawn after {bound_ms} ms: {gate.drawn_micro(profile_id)}"
    raise AssertionError(message)


async def lose_a_draw(gate: GateWorld, key_id: str, *, is_end_lost: bool) -> None:
    """Lose the reply to a draw; and what would end its lease then, before it arrives."""
    lost: list[Draw] = []

    def loses(moment: str, message: Message) -> bool:
        if not isinstance(message, Draw):
            return False
        if message.is_last:
            return is_end_lost and moment == SENT
        if moment == DONE and message.wants and not lost:
            lost.append(message)
            return True
        return False

    gate.link.loses = loses
    with pytest.raises(FareboxError):
        await gate.admit(key_id, SLUG)
    while gate.gatekeeper._partings._tasks:
        await asyncio.wait(gate.gatekeeper._partings._tasks)
    assert lost


@pytest.mark.parametrize("is_end_lost", [False, True], ids=["lease ended", "lease silent"])
def test_a_draw_whose_reply_was_lost_returns_in_time_and_not_before(
    world: World, is_end_lost: bool
) -> None:
    """A process that lives says that its lease is over; else its silence does."""
    profile_id, key_id = stock(world)
    gate = GateWorld(world)
    asyncio.run(lose_a_draw(gate, key_id, is_end_lost=is_end_lost))
    assert gate.drawn_micro(profile_id) > 0
    drawn = gate.spent(profile_id, "hour").drawn
    assert drawn > 0
    held_ms = HOLD_MS + TRUST_MS + (SILENT_MS if is_end_lost else 0)
    waited_ms = returned_after_ms(world, gate, profile_id, held_ms + 4 * TICK_MS)
    assert held_ms < waited_ms <= held_ms + 3 * TICK_MS
    assert gate.spent(profile_id, "hour") == (0, drawn), "the hour is open still"
    world.advance(hours=1)
    world.advance(minutes=2)
    assert gate.spent(profile_id, "hour") == (0, 0)
    assert world.balance_micro(profile_id) == PRICE * CALLS * MICRO
    assert not differences(world.db)


def test_what_a_killed_process_had_drawn_returns_in_time_and_not_before(world: World) -> None:
    """With what it held: it may have answered, and somebody may settle that."""
    profile_id, key_id = stock(world)
    gate = GateWorld(world)
    held = asyncio.run(gate.admitted(key_id, SLUG))
    assert held.pieces
    assert gate.drawn_micro(profile_id) > 0
    held_ms = SILENT_MS + HOLD_MS + TRUST_MS
    waited_ms = returned_after_ms(world, gate, profile_id, held_ms + 4 * TICK_MS)
    assert held_ms < waited_ms <= held_ms + 3 * TICK_MS
    assert not differences(world.db)


class Careless:
    """One who asks, settles and voids while messages are lost, and looks after each step."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.profile_id, self.key_id = stock(world)
        self.gate = GateWorld(world, hold_ms=2_000)
        self.random = random.Random(seed)
        self.holds: list[Hold] = []
        self.net = 0

    def lose(self, share: float) -> None:
        self.gate.link.loses = lambda _moment, _message: self.random.random() < share

    def check(self) -> None:
        used, drawn = self.gate.spent(self.profile_id, "hour")
        assert used + drawn <= LIMIT
        # What was admitted and not given back is used or drawn, whoever has heard of it.
        assert self.net <= used + drawn
        assert self.gate.drawn_micro(self.profile_id) <= PRICE * CALLS * MICRO

    async def step(self) -> None:
        self.world.clock.advance(self.random.randrange(400))
        self.world.settle()
        with suppress(FareboxError):
            decision = await self.gate.admit(self.key_id, SLUG)
            if isinstance(decision, Hold):
                self.holds.append(decision)
                self.net += 1
        if self.holds and self.random.random() < 0.9:
            hold = self.holds.pop(self.random.randrange(len(self.holds)))
            with suppress(FareboxError):
                await self._end(hold)
        self.check()

    async def _end(self, hold: Hold) -> None:
        if self.random.random() < 0.8:
            await self.gate.settle(hold)
        else:
            await self.gate.void(hold)
            self.net -= 1

    async def rest(self) -> None:
        """Let all that is held or lost expire."""
        for _ in range(20):
            await self.gate.gatekeeper._drawn()
            self.world.clock.advance(TICK_MS)
            self.world.settle()

    async def spend_all(self) -> None:
        for _ in range(self.world.balance_micro(self.profile_id) // (PRICE * MICRO)):
            await self.gate.settle(await self.gate.admitted(self.key_id, SLUG))


@pytest.mark.parametrize("seed", range(6))
def test_lost_messages_double_nothing_and_keep_nothing(world: World, seed: int) -> None:
    """In the end every credit can be spent, once, and of the hour no more than there was."""
    careless = Careless(world, seed)

    async def story() -> None:
        careless.lose(0.06)
        for _ in range(250):
            await careless.step()
        careless.lose(0)
        await careless.rest()
        await careless.spend_all()
        careless.check()
        await careless.gate.gatekeeper.close()

    asyncio.run(story())
    assert 0 <= world.balance_micro(careless.profile_id) < PRICE * MICRO
    assert careless.gate.drawn_micro(careless.profile_id) == 0
    assert not differences(world.db)
    assert run_audit(world.reader).agrees


# -- with a recorder in a process of its own ------------------------------------------------------

KILLS, CALLERS = 8, 8
HOLD_SHORT_MS = 1_000
BACK_SECONDS_MAX = 5.0


async def admit_and_kill(
    gate: GateWorld, key_id: str, process: RecorderProcess, chance: random.Random
) -> int:
    """Admit from some callers at once while the recorder is killed; how many were settled."""
    is_over = asyncio.Event()
    settled = 0

    async def caller() -> None:
        nonlocal settled
        while not is_over.is_set():
            with suppress(FareboxError):
                decision = await gate.admit(key_id, SLUG)
                if isinstance(decision, Hold) and chance.random() < 0.5:
                    await gate.settle(decision)
                    settled += 1
            await asyncio.sleep(0.01)

    async def killer() -> None:
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(0.02, 0.3))
            if process.pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
        is_over.set()

    gate.gatekeeper.start()
    await asyncio.gather(killer(), *(caller() for _ in range(CALLERS)))
    return settled


def drawn_in(database: Path) -> int:
    with closing(open_reader(database)) as reader:
        ((units,),) = reader.connection.execute(
            "select coalesce(sum(units), 0) from draws where name = 'credits'"
        )
        assert isinstance(units, int)
        return units


def test_what_killed_recorders_had_handed_out_returns(tmp_path: Path) -> None:
    """Nothing stays drawn, nothing is charged twice, and the hour holds."""
    with World(tmp_path, now_ms=wall_ms()) as world:
        profile_id, key_id = stock(world)
        world.recorder.close()
        process = RecorderProcess(recorder_command(world.path))
        link = Link(world.path, process)
        gate = GateWorld(world, hold_ms=HOLD_SHORT_MS, real=(link, SteadyClock()))

        async def story() -> int:
            settled = await admit_and_kill(gate, key_id, process, random.Random(1))
            await gate.gatekeeper.close()
            is_back = partial(until, lambda: not drawn_in(world.path), seconds_max=BACK_SECONDS_MAX)
            await asyncio.to_thread(is_back)
            await link.close()
            return settled

        try:
            settled = asyncio.run(story())
        finally:
            process.end(20)
        used, drawn = gate.spent(profile_id, "hour")
        assert 0 < settled <= used
        assert used + drawn <= LIMIT
        assert world.balance_micro(profile_id) == (CALLS - used) * PRICE * MICRO
        assert not differences(world.db)
        assert run_audit(world.reader, integrity=True).agrees

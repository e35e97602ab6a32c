"""Limits of seconds and minutes: no window has more than its limit, by the requests' own times.

Over HTTP the clock is the machine's: a window is judged by what was recorded in it. With the clock
by hand every window has exactly its limit.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import count, takewhile
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from farebox.core.instant import MS_PER_MINUTE, MS_PER_SECOND
from farebox.engine.clock import wall_ms
from farebox.service.admit import Refused
from tests.support.faces import (
    SETTINGS,
    Authorize,
    Customer,
    Face,
    Shop,
    Verdict,
    forward_auth,
    storm,
)
from tests.support.gates import GateWorld
from tests.support.recorders import until
from tests.support.server import ADMIN_TOKEN, RunningServer
from tests.support.truth import differences
from tests.support.worlds import World

TRAFFIC_MS = 2_800
WINDOWS = 150
# How much of a stamp in local time tells its window.
SECOND_CHARACTERS, MINUTE_CHARACTERS = len("2026-05-05 11:09:42"), len("2026-05-05 11:09")
FACES = {"authorize": Authorize(ADMIN_TOKEN), "forward_auth": forward_auth()}


class Rate(NamedTuple):
    """A limit of a short window: its name, how many it admits, how long its window is."""

    name: str
    limit: int
    window_ms: int

    @property
    def plan(self) -> dict[str, int]:
        return {f"requests_per_{self.name}": self.limit}


PER_SECOND = Rate("second", 20, MS_PER_SECOND)
PER_MINUTE = Rate("minute", 50, MS_PER_MINUTE)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("rates")
    with RunningServer(folder, SETTINGS) as server:
        yield Shop(server)


def for_a_while() -> Iterable[int]:
    """Tries, as long as there is time."""
    end_ms = wall_ms() + TRAFFIC_MS
    return takewhile(lambda _: wall_ms() < end_ms, count())


def check_windows(
    shop: Shop, customer: Customer, rate: Rate, verdicts: list[tuple[str, Verdict]]
) -> None:
    admitted = sum(verdict.status == httpx.codes.OK for _, verdict in verdicts)
    until(lambda: shop.breakdown(customer)[0] == admitted, seconds_max=10)
    characters = SECOND_CHARACTERS if rate is PER_SECOND else MINUTE_CHARACTERS
    windows = Counter(stamp[:characters] for stamp in shop.log_stamps(customer))
    assert windows.total() == admitted
    assert max(windows.values()) == rate.limit, "none has more, and the traffic was enough for it"
    for _, verdict in verdicts:
        if verdict.status != httpx.codes.OK:
            assert verdict.status == httpx.codes.TOO_MANY_REQUESTS
            assert verdict.denied_by in {None, rate.name}
            assert verdict.retry_after is not None
            assert 0 < verdict.retry_after <= rate.window_ms // MS_PER_SECOND


@pytest.mark.parametrize("face", FACES.values(), ids=FACES)
def test_no_window_of_a_second_or_a_minute_has_more_than_its_limit(shop: Shop, face: Face) -> None:
    by_second, by_minute = (shop.customer(rate.plan) for rate in (PER_SECOND, PER_MINUTE))

    async def traffic() -> list[list[tuple[str, Verdict]]]:
        return await asyncio.gather(
            *(
                storm(face, shop.server.url, [c.seats[0].key], tries=for_a_while(), callers=32)
                for c in (by_second, by_minute)
            )
        )

    of_second, of_minute = asyncio.run(traffic())
    check_windows(shop, by_second, PER_SECOND, of_second)
    check_windows(shop, by_minute, PER_MINUTE, of_minute)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("rate", [PER_SECOND, PER_MINUTE], ids=["second", "minute"])
def test_each_of_hundreds_of_windows_has_exactly_its_limit(
    tmp_path: Path, rate: Rate, seed: int
) -> None:
    """Whatever becomes of what was admitted; a void alone makes room for another."""
    chance = random.Random(seed)

    async def fill(gate: GateWorld, key_id: str) -> int:
        """Ask in one window until it is used up; how many were let through and not voided."""
        net = 0
        while True:
            gate.harness.clock.advance(chance.randrange(rate.window_ms // 500))
            decision = await gate.admit(key_id)
            if isinstance(decision, Refused):
                assert decision.denial.denied_by == rate.name
                assert decision.retry_at_ms == next_window_ms(gate.harness.now_ms, rate)
                return net
            net += 1
            end = chance.random()
            if end < 0.2:
                await gate.void(decision)
                net -= 1
            elif end < 0.6:
                await gate.settle(decision)

    async def story(world: World) -> None:
        world.call("plans.create", slug="basic", name="B", credits_per_month=0, **terms)
        key_id = world.key(world.workspace())
        gate = GateWorld(world, hold_ms=2 * rate.window_ms)
        for window in range(WINDOWS):
            assert await fill(gate, key_id) == rate.limit, window
            if chance.random() < 0.3:
                # Nothing is left of it, even where time goes on in it.
                world.clock.advance(chance.randrange(rate.window_ms // 10))
                assert await fill(gate, key_id) == 0
            world.clock.advance(next_window_ms(world.now_ms, rate) - world.now_ms)
            world.clock.advance(chance.choice((0, 0, 1, rate.window_ms, rate.window_ms // 3)))
            world.settle()
        await gate.gatekeeper.close()
        assert not differences(world.db)

    terms: dict[str, Any] = {**rate.plan, "unmapped": "allow"}
    with World(tmp_path, seed=seed) as world:
        asyncio.run(story(world))


def next_window_ms(now_ms: int, rate: Rate) -> int:
    return (now_ms // rate.window_ms + 1) * rate.window_ms

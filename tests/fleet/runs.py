"""Runs: a scenario of a seed, the callers that come at it, and what must be true afterwards."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

from tests.fleet.callers import Mix
from tests.fleet.checks import Findings
from tests.fleet.faults import Faults
from tests.fleet.ground import PostgresGround
from tests.fleet.history import History
from tests.fleet.looking import Looking
from tests.fleet.scenario import LIMITS, drawn
from tests.fleet.world import World
from tests.support.faces import Customer

SECOND_SECONDS = 2.0
# How long after the last hold has expired all of it is back.
GONE_SECONDS_MAX = 8.0
RETURNED = (300,)
FAILOVER_SECONDS = 4.0
# Callers are slower than this on no machine that the tests are meant for.
CALLS_PER_SECOND_MIN = 150


def run_exact(world: World, seed: int, limits: tuple[int, ...] = LIMITS) -> str:
    """Without faults: exactly what the limit says. What was seen, as JSON."""
    scenario = drawn(seed, limits=limits)
    ran = world.run(
        scenario,
        run_seconds=SECOND_SECONDS if scenario.kind == "second" else 0.0,
        more_seconds=scenario.limit * scenario.scopes / CALLS_PER_SECOND_MIN,
    )
    found = Findings(world, scenario, ran)
    with telling(found):
        found.check_exact()
    return found.told()


def run_faults(world: World, seed: int, seconds: float, limits: tuple[int, ...] = LIMITS) -> str:
    """With faults for so long: never over, nothing acknowledged lost, nothing twice."""
    scenario = drawn(seed, limits=limits, has_faults=True)
    faults = Faults(world, seed)
    looks: list[Looking] = []

    def disturb(customer: Customer) -> None:
        looks.append(Looking(world.ground, scenario, customer))
        faults.look = looks[0].look
        faults.rage(seconds)

    ran = world.run(scenario, run_seconds=seconds, disturb=disturb)
    found = Findings(world, scenario, ran)
    with telling(found):
        looks[0].look()
        found.check()
        world.audit()
        assert found.admitted > 0, "there was something to go wrong"
    seen = {"looks": looks[0].looks, "nearest": looks[0].nearest, "faults": faults.done}
    return f"{found.told()} {json.dumps(seen)}"


def run_returns(world: World, seed: int) -> str:
    """Nodes are killed with what they hold; when it has expired, the last credit can be had."""
    scenario = drawn(seed, limits=RETURNED, has_faults=True)
    mix = Mix(0.3, 0.3, think_seconds=0.1, is_roaming=False)
    scenario = scenario._replace(kind="credits", is_shared=True, mix=mix)
    chance = random.Random(seed)

    def disturb(_: Customer) -> None:
        for node in chance.sample(world.nodes, 2):
            threading.Event().wait(chance.uniform(0.3, 1.0))
            node.kill()
            node.start()

    ran = world.run(scenario, disturb=disturb)
    before = Findings(world, scenario, ran)
    with telling(before):
        before.check()
    rest = scenario._replace(mix=Mix(is_roaming=False), seed=seed + 1)
    # What is lost returns when nobody can settle it any more, and its node is known to be gone.
    again = world.run(rest, run_seconds=world.hold_seconds + GONE_SECONDS_MAX, again=ran)
    after = Findings(world, rest, again)
    with telling(after):
        after.history.check_answers()
        settled = len(before.history.names("settle", "done"))
        assert settled + after.admitted == scenario.limit, (settled, after.admitted)
        world.audit()
    return f"{before.told()} {json.dumps({'settled': settled, 'returned': after.admitted})}"


def run_failover(world: World, seed: int, limits: tuple[int, ...] = LIMITS) -> str:
    """The primary is killed in mid-run and its standby promoted: as with every other fault."""
    ground = world.ground
    assert isinstance(ground, PostgresGround)
    scenario = drawn(seed, limits=limits, has_faults=True)
    chance = random.Random(seed)
    looks: list[Looking] = []

    def disturb(customer: Customer) -> None:
        looks.append(Looking(world.ground, scenario, customer))
        pause = threading.Event()
        pause.wait(chance.uniform(0.5, 1.5))
        looks[0].look()
        ground.fail_over()
        for _ in range(50):
            looks[0].look()
            pause.wait(0.02)

    ran = world.run(scenario, run_seconds=FAILOVER_SECONDS, disturb=disturb)
    found = Findings(world, scenario, ran)
    with telling(found):
        looks[0].look()
        found.check()
        world.audit()
        assert found.admitted > 0, "there was something to go wrong"
    away = longest_silence(found.history)
    return f"{found.told()} {json.dumps({'looks': looks[0].looks, 'away': round(away, 1)})}"


def longest_silence(history: History) -> float:
    """The longest time without anything that was written, in seconds."""
    times = sorted(line.heard for line in history.lines if line.outcome == "done")
    return max((after - before for before, after in pairwise(times)), default=0.0)


@contextmanager
def telling(found: Findings) -> Iterator[None]:
    """What fails inside says which run it was."""
    try:
        yield
    except AssertionError as error:
        error.add_note(found.told())
        raise

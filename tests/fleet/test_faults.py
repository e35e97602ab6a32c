"""Whatever breaks in a fleet: no limit is passed, nothing acknowledged is lost, nothing twice."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from tests.fleet.checks import Findings
from tests.fleet.faults import Faults
from tests.fleet.ground import SqliteGround
from tests.fleet.looking import Looking
from tests.fleet.scenario import drawn
from tests.fleet.world import World
from tests.support.faces import Customer

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("fleet"), pytest.mark.timeout(240)]
FAULT_SECONDS = 4.0
WORLDS = {"processes": (4, 1), "workers": (1, 4)}


def run_with_faults(world: World, seed: int, seconds: float) -> None:
    scenario = drawn(seed, has_faults=True)
    faults = Faults(world, seed)
    looks: list[Looking] = []

    def disturb(customer: Customer) -> None:
        looks.append(Looking(world.ground, scenario, customer))
        faults.look = looks[0].look
        faults.rage(seconds)

    ran = world.run(scenario, run_seconds=seconds, disturb=disturb)
    found = Findings(world, scenario, ran)
    seen = {"looks": looks[0].looks, "nearest": looks[0].nearest, "faults": faults.done}
    print(found.told(), json.dumps(seen))  # noqa: T201 - shown where it fails, or is asked for
    looks[0].look()
    found.check()
    world.audit()
    assert found.admitted > 0


@pytest.fixture(scope="module", params=WORLDS)
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("fleet")
    nodes, workers = WORLDS[request.param]
    with (
        SqliteGround(folder) as ground,
        World(folder, ground, nodes=nodes, workers=workers) as world,
    ):
        yield world


@pytest.mark.parametrize("seed", [int(os.environ.get("SEED", "1")), 2])
def test_no_limit_is_passed_whatever_breaks(world: World, seed: int) -> None:
    run_with_faults(world, seed, FAULT_SECONDS)

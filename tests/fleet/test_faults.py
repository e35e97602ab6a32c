"""Whatever breaks in a fleet: no limit is passed, nothing acknowledged is lost, nothing twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fleet.ground import SqliteGround
from tests.fleet.runs import run_faults
from tests.fleet.world import World

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("fleet"), pytest.mark.timeout(240)]
FAULT_SECONDS = 4.0
WORLDS = {"processes": (4, 1), "workers": (1, 4)}


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


@pytest.mark.parametrize("seed", [1, 2])
def test_no_limit_is_passed_whatever_breaks(world: World, seed: int) -> None:
    print(run_faults(world, seed, FAULT_SECONDS))  # noqa: T201 - shown where it fails

"""Several nodes, 64 callers, one limit: exactly as many are let through as it says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fleet.ground import SqliteGround
from tests.fleet.runs import run_exact
from tests.fleet.world import World

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("fleet")]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("fleet")
    with SqliteGround(folder) as ground, World(folder, ground) as world:
        yield world
        world.audit()


@pytest.mark.parametrize("seed", range(1, 9))
def test_the_fleet_admits_exactly_what_the_limit_says(world: World, seed: int) -> None:
    print(run_exact(world, seed))  # noqa: T201 - shown where it fails

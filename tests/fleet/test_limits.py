"""Several nodes, 64 callers, one limit: exactly as many are let through as it says."""

from __future__ import annotations

import pytest

from tests.fleet.ground import GROUNDS
from tests.fleet.runs import run_exact
from tests.fleet.world import World

pytestmark = pytest.mark.slow
SEEDS: dict[str, tuple[int, ...]] = {"postgres": (), "processes": (1, 7), "workers": (1, 3)}
CASES = [(ground, seed) for ground in GROUNDS for seed in SEEDS[ground]]


@pytest.mark.parametrize(("ground", "seed"), CASES)
def test_the_fleet_admits_exactly_what_the_limit_says(world: World, seed: int) -> None:
    print(run_exact(world, seed))  # noqa: T201 - shown where it fails

"""Whatever breaks in a fleet: no limit is passed, nothing acknowledged is lost, nothing twice."""

from __future__ import annotations

import pytest

from tests.fleet.ground import GROUNDS
from tests.fleet.runs import run_faults
from tests.fleet.world import World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
FAULT_SECONDS = 4.0
SEEDS: dict[str, tuple[int, ...]] = {"postgres": (), "processes": (1,), "workers": (2,)}
CASES = [(ground, seed) for ground in GROUNDS for seed in SEEDS[ground]]


@pytest.mark.parametrize(("ground", "seed"), CASES)
def test_no_limit_is_passed_whatever_breaks(world: World, seed: int) -> None:
    print(run_faults(world, seed, FAULT_SECONDS))  # noqa: T201 - shown where it fails

"""Whatever breaks in a fleet: no limit is passed, nothing acknowledged is lost, nothing twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fleet.ground import PostgresGround
from tests.fleet.runs import run_failover, run_faults
from tests.fleet.world import World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
FAULT_SECONDS = 4.0
LIMITS = (10, 300)
CASES = [("postgres", 3), ("workers", 2)]


@pytest.mark.parametrize(("ground", "seed"), CASES)
def test_no_limit_is_passed_whatever_breaks(world: World, seed: int) -> None:
    print(run_faults(world, seed, FAULT_SECONDS, LIMITS))  # noqa: T201 - shown where it fails


@pytest.mark.usefixtures("alone")
def test_no_limit_is_passed_when_a_standby_takes_over(tmp_path: Path) -> None:
    with PostgresGround(has_standby=True) as ground, World(tmp_path, ground) as world:
        print(run_failover(world, 1, LIMITS))  # noqa: T201 - shown where it fails

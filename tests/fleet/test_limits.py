"""Several nodes, 64 callers, one limit: exactly as many are let through as it says."""

from __future__ import annotations

import pytest

from tests.fleet.runs import run_exact
from tests.fleet.world import World

pytestmark = pytest.mark.slow
CASES = [("postgres", 1), ("postgres", 9), ("postgres", 16), ("workers", 1), ("workers", 3)]


@pytest.mark.parametrize(("ground", "seed"), CASES)
def test_the_fleet_admits_exactly_what_the_limit_says(world: World, seed: int) -> None:
    print(run_exact(world, seed))  # noqa: T201 - shown where it fails

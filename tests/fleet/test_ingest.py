"""Nodes that add to the same sums at once don't stand in each other's way, and lose nothing."""

from __future__ import annotations

import pytest

from tests.fleet.ingest import run_ingest
from tests.fleet.world import World

pytestmark = pytest.mark.slow
SECONDS = 3.0


@pytest.mark.parametrize("ground", ["postgres"])
def test_batches_of_all_nodes_add_up_without_a_deadlock(world: World) -> None:
    print(run_ingest(world, 1, SECONDS))  # noqa: T201 - shown where it fails, or is asked for

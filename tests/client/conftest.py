"""A real server for the clients of a file, with something to sell."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.server import RunningServer


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with the log type `people_search` for 3 credits and the plan `gold`."""
    with RunningServer(tmp_path_factory.mktemp("shop")) as running:
        running.make("/log_types", {"slug": "people_search", "name": "People", "credits": 3})
        running.make("/plans", {"slug": "gold", "name": "Gold", "credits_per_month": 1_000})
        yield running

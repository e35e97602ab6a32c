"""What the tests of reports share: a database of each engine, with a workspace for each case."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.reports.stage import Stage
from tests.support.homes import Homes


@pytest.fixture(scope="module")
def stages(homes: Homes) -> Iterator[Callable[[str], Stage]]:
    """One database of each engine for all cases: each is a workspace among others."""
    made: dict[str, Stage] = {}

    def stage_of(engine: str) -> Stage:
        if engine not in made:
            made[engine] = Stage(homes.new(engine))
        return made[engine]

    yield stage_of
    for stage in made.values():
        stage.close()

"""A harness for each test, over each engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.harness import Harness
from tests.support.homes import Home


@pytest.fixture
def harness(home: Home) -> Iterator[Harness]:
    with Harness(home) as made:
        yield made

"""A running server, and a till that asks it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.gate.till import Till
from tests.support.api import Api
from tests.support.harness import Harness


@pytest.fixture
def till(tmp_path: Path) -> Iterator[Till]:
    with Harness(tmp_path) as harness, Api(harness) as api:
        yield Till(api)

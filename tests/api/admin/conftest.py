"""A server for each test, and a caller with the scope admin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.admin import Admin
from tests.support.api import Api
from tests.support.harness import Harness


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    with Harness(tmp_path) as made:
        yield made


@pytest.fixture
def admin(harness: Harness) -> Iterator[Admin]:
    with Api(harness) as api:
        yield Admin(api)

"""A market for the tests of a file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.embed.market import Market


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    with Market(tmp_path_factory.mktemp("market")) as made:
        yield made
    # Whatever was done to it, the books agree.
    command = [sys.executable, "-m", "farebox", "audit", "--database", made.url]
    audit = subprocess.run(command, capture_output=True, check=False, text=True, timeout=60)
    assert audit.returncode == 0, audit.stdout + audit.stderr


@pytest.fixture
def own_market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """One that a test may break."""
    with Market(tmp_path_factory.mktemp("own")) as made:
        yield made

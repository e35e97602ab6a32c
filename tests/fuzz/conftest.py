"""A server for all the cases of a process, whose books agree at the end of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from farebox.service.audit import run_audit
from tests.fuzz.world import SETTINGS, World
from tests.support.api import Api
from tests.support.harness import Harness
from tests.support.truth import differences

AT_LENGTH = "test_documented_at_length.py"
ERROR_STATUS = 400


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the cases of the long lane where it doesn't run."""
    is_short = config.getoption("markexpr") == "not long"
    return True if is_short and collection_path.name == AT_LENGTH else None


@pytest.fixture
def answers() -> Iterator[Counter[int]]:
    """How often each status was answered to an operation's cases; some have succeeded."""
    counted: Counter[int] = Counter()
    yield counted
    assert any(status < ERROR_STATUS for status in counted), f"no call succeeded: {counted}"


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("fuzz")
    with Harness(folder) as harness, Api(harness, SETTINGS) as api:
        yield World(api)
        api.flush()
        harness.settle()
        # Nothing that was refused is half done.
        assert not differences(harness.db)
        assert run_audit(harness.reader, integrity=True).agrees

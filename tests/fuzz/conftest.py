"""A server for all the cases of a process, whose books agree at the end of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farebox.service.audit import run_audit
from tests.fuzz.world import SETTINGS, World
from tests.support.api import Api
from tests.support.harness import Harness
from tests.support.truth import differences


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

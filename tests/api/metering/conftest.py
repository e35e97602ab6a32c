"""A running server and a gateway that reports to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.metering.gateway import Gateway
from tests.support.api import Api
from tests.support.harness import Harness


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    with Harness(tmp_path) as harness, Api(harness) as api:
        yield Gateway(api)

"""A running server with one workspace that has traffic."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api import Api
from tests.support.harness import Harness
from tests.support.shop import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """The server and its workspace."""
    with Harness(tmp_path) as harness, Api(harness) as api:
        yield Shop(api)


@pytest.fixture
def quiet_shop(shop: Shop) -> Shop:
    """The same, whose customers' own calls are dropped: its log holds what a test recorded."""
    shop.api.context.self_recorder._waiting_max = 0
    return shop

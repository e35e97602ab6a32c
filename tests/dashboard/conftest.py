"""A running server with one workspace that has traffic, and browsers without a screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api import Api
from tests.support.harness import Harness
from tests.support.shop import Shop
from tests.support.visitor import Visitor


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """The server and its workspace."""
    with Harness(tmp_path) as harness, Api(harness) as api:
        yield Shop(api)


@pytest.fixture
def visitor(shop: Shop) -> Visitor:
    """Somebody who hasn't signed in."""
    return Visitor(shop.api)


@pytest.fixture
def customer(visitor: Visitor, shop: Shop) -> Visitor:
    """Somebody who has, with the shop's key."""
    return visitor.sign_in(shop.key)


@pytest.fixture
def operator(shop: Shop) -> Visitor:
    """Somebody who runs the service."""
    return Visitor(shop.api).sign_in_as_operator(shop.api.admin_token)

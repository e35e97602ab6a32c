"""What every test stands on: an environment without the settings of whoever runs it."""

from __future__ import annotations

import os
import zoneinfo
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support.cluster import Cluster
from tests.support.homes import ENGINES, Home, Homes

# A busy machine is no failure. Where CI is set, Hypothesis itself takes a repeatable profile.
settings.register_profile("house", deadline=None, print_blob=True)
if "CI" not in os.environ:
    settings.load_profile("house")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every `FAREBOX_*` variable away for the time of a test."""
    for name in [name for name in os.environ if name.startswith("FAREBOX_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server for all tests that only need a database; it starts at first use."""
    with Cluster() as made:
        yield made


@pytest.fixture(scope="module")
def homes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Homes]:
    """A maker of databases of either engine."""
    made = Homes(
        lambda: tmp_path_factory.mktemp("home"), lambda: request.getfixturevalue("cluster")
    )
    yield made
    made.close()


@pytest.fixture(params=ENGINES)
def home(request: pytest.FixtureRequest, homes: Homes) -> Iterator[Home]:
    """A new database; the test runs once for each engine."""
    with homes.one(request.param) as made:
        yield made


# What tests compute with zones of their own comes from the same data as the program's.
zoneinfo.reset_tzpath(to=())

"""A new database of the PostgreSQL server, and everything of Farebox on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from farebox.core.database_url import read_database_url
from farebox.store.database import Database
from tests.postgres.office import Office
from tests.support.cluster import Cluster


@pytest.fixture
def target(cluster: Cluster) -> Iterator[Database]:
    """A new database of it, with its password in the URL."""
    url = cluster.create_database()
    yield Database(read_database_url(url))
    cluster.drop_database(url)


@pytest.fixture
def office(target: Database, tmp_path: Path) -> Office:
    """Commands over a new database, by programs of their own."""
    return Office(target, tmp_path)

"""Fresh databases of both engines for the suites of the stores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from farebox.store.postgres.connection import open_writer
from farebox.store.postgres.database import PostgresDatabase
from farebox.store.postgres.migrate import migrate
from tests.support.cluster import Cluster
from tests.support.stores import ENGINES, Opened, PostgresStore, SqliteStore, Store


@pytest.fixture(scope="session")
def migrated(cluster: Cluster) -> str:
    """The name of a database that is migrated and that nobody is connected to."""
    url = cluster.create_database()
    writer = open_writer(url)
    migrate(writer)
    writer.close()
    return url.rpartition("/")[2]


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty database of each engine."""
    if request.param == "sqlite":
        yield SqliteStore(tmp_path / "farebox.db")
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    url = cluster.create_database()
    yield PostgresStore(cluster, url)
    cluster.drop_database(url)


@pytest.fixture
def writer(store: Store) -> Iterator[Opened]:
    """A writer of each engine, to a migrated database."""
    opened = store.open_writer()
    store.migrate(opened)
    yield opened
    opened.close()


@pytest.fixture
def postgres(cluster: Cluster, migrated: str) -> Iterator[PostgresStore]:
    """A migrated PostgreSQL database."""
    url = cluster.create_database(template=migrated)
    yield PostgresStore(cluster, url)
    cluster.drop_database(url)


@pytest.fixture
def database(postgres: PostgresStore) -> Iterator[PostgresDatabase]:
    """A writer to it."""
    opened = postgres.open_writer()
    yield opened
    opened.close()

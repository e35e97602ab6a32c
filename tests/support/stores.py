"""Databases of both engines, for suites that hold what every engine promises."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from farebox.store.contract import Reader, Writer
from farebox.store.migration import Migration, Phase, SchemaState
from farebox.store.postgres import connection as postgres
from farebox.store.postgres import migrate as postgres_schema
from farebox.store.postgres.database import PostgresDatabase
from farebox.store.sqlite import database as sqlite
from farebox.store.sqlite import migrate as sqlite_schema
from farebox.store.sqlite.database import SqliteDatabase
from tests.support.cluster import Cluster

ENGINES = ("sqlite", "postgres")


class Opened(Writer, Protocol):
    """A connection of any engine, with what tests need beside the contract."""

    has_failed: bool

    def script(self, sql: str) -> None:
        """Run SQL as it is."""


class Store(Protocol):
    """A database that isn't migrated yet, and how its engine opens and migrates one."""

    def open_writer(self) -> Opened:
        """A writing connection."""

    def open_reader(self) -> Opened:
        """A read-only connection, which claims to write, too."""

    def migrate(self, writer: Reader, phase: Phase = "pre") -> list[str]:
        """Migrate it."""

    def check_schema(self, reader: Reader) -> None:
        """Check it."""

    def state(self, reader: Reader) -> SchemaState:
        """Where it stands."""

    def all_migrations(self) -> list[Migration]:
        """The steps of its engine."""

    def tables(self) -> set[str]:
        """The names of its tables."""


class SqliteStore:
    """A file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open_writer(self) -> SqliteDatabase:
        return sqlite.open_writer(self.path)

    def open_reader(self) -> SqliteDatabase:
        return sqlite.open_reader(self.path)

    def migrate(self, writer: Reader, phase: Phase = "pre") -> list[str]:
        assert isinstance(writer, SqliteDatabase)
        return sqlite_schema.migrate(writer, phase)

    def check_schema(self, reader: Reader) -> None:
        assert isinstance(reader, SqliteDatabase)
        sqlite_schema.check_schema(reader)

    def state(self, reader: Reader) -> SchemaState:
        assert isinstance(reader, SqliteDatabase)
        return sqlite_schema.schema_state(reader)

    def all_migrations(self) -> list[Migration]:
        return sqlite_schema.all_migrations()

    def tables(self) -> set[str]:
        reader = self.open_reader()
        rows = list(reader.connection.execute("select name from sqlite_schema"))
        reader.close()
        return {str(name) for (name,) in rows}


class PostgresStore:
    """A database of a cluster."""

    def __init__(self, cluster: Cluster, url: str) -> None:
        self.cluster = cluster
        self.url = url

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]

    def open_writer(self) -> PostgresDatabase:
        return postgres.open_writer(self.url)

    def open_reader(self) -> PostgresDatabase:
        return postgres.open_reader(self.url)

    def migrate(self, writer: Reader, phase: Phase = "pre") -> list[str]:
        assert isinstance(writer, PostgresDatabase)
        return postgres_schema.migrate(writer, phase)

    def check_schema(self, reader: Reader) -> None:
        assert isinstance(reader, PostgresDatabase)
        postgres_schema.check_schema(reader)

    def state(self, reader: Reader) -> SchemaState:
        assert isinstance(reader, PostgresDatabase)
        return postgres_schema.schema_state(reader)

    def all_migrations(self) -> list[Migration]:
        return postgres_schema.all_migrations()

    def tables(self) -> set[str]:
        rows = self.cluster.control(
            "select tablename from pg_tables where schemaname = 'public'", database=self.name
        )
        return {str(name) for (name,) in rows}

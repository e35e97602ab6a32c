"""PostgreSQL for a test: a new database from a template, and a look into it in SQLite's words.

The schema `seen` has views of the tables that nodes keep apart, as SQLite has them: summed, with
the same columns in the same order. A look finds them first, so that a test's own statement means
the same in both engines; the few words that differ are translated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

from farebox.store.contract import Reader
from farebox.store.postgres.connection import open_reader, open_writer
from farebox.store.postgres.database import PostgresDatabase
from farebox.store.postgres.migrate import migrate
from tests.support.cluster import Cluster
from tests.support.waiting import until

HERE = Path(__file__).parent
SEEN = (HERE / "seen.sql").read_bytes()
LAWLESS = (HERE / "lawless.sql").read_bytes()
BLOB = re.compile(r"\bx'([0-9a-f]*)'")
# Sums of a period are in a table of their own.
PERIOD_SUM = re.compile(r"update periods set(?= (granted|expired|charged|corrected)_)")
Value = str | int | bytes | None


class PostgresLook:
    """A superuser's connection that takes statements in SQLite's words."""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self.connection = connection
        connection.execute("set search_path = seen, public")

    def execute(self, statement: str, values: Sequence[Value] = (), /) -> list[tuple[Any, ...]]:
        """The rows of a statement, if it has any."""
        text = translated(statement)
        if values:
            text = text.replace("%", "%%").replace("?", "%s")
        cursor = self.connection.execute(text.encode(), tuple(values) or None)
        if cursor.description is None:
            return []
        return [tuple(map(_as_sqlite, row)) for row in cursor]


class PostgresHome:
    """A database of its own, copied from the cluster's template or another one."""

    def __init__(self, cluster: Cluster, template: str | None = None) -> None:
        self.cluster = cluster
        self.url = cluster.create_database(template or new_template(cluster))
        self.name = self.url.rpartition("/")[2]
        self.path = cluster.folder / self.name
        self._looks: list[PostgresLook] = []

    def open_writer(self) -> PostgresDatabase:
        """A writing connection."""
        return open_writer(self.url)

    def open_reader(self) -> PostgresDatabase:
        """A reading connection."""
        return open_reader(self.url)

    def open_look(self, _reader: Reader | None = None) -> PostgresLook:
        """A look, which is closed with the store."""
        look = PostgresLook(self.cluster.superuser(self.name))
        self._looks.append(look)
        return look

    def plant(self, script: str) -> None:
        """Change it past all of its rules; something must have changed."""
        with self.cluster.superuser(self.name) as connection:
            connection.execute("set search_path = public, seen")
            connection.execute(LAWLESS)
            statements = PERIOD_SUM.sub("update period_sums set", translated(script)).split(";")
            changed = [connection.execute(each.encode()).rowcount for each in statements]
        assert any(changed)

    def copy(self) -> PostgresHome:
        """A database with the same rows."""
        self._close_looks()
        _leave(self.cluster, self.name)
        return PostgresHome(self.cluster, self.name)

    def contents(self) -> Iterator[bytes]:
        """Every row of every table, as text."""
        look = self.open_look()
        tables = look.execute("select tablename from pg_tables where schemaname = 'public'")
        for (table,) in tables:
            for (row,) in look.execute(f"select cast(t as text) from public.{table} t"):
                yield row.encode()

    def close(self) -> None:
        """Drop it."""
        self._close_looks()
        self.cluster.drop_database(self.name)

    def _close_looks(self) -> None:
        while self._looks:
            self._looks.pop().connection.close()


def translated(statement: str) -> str:
    """A statement in PostgreSQL's words."""
    return BLOB.sub(r"'\\x\1'::bytea", statement)


@cache
def new_template(cluster: Cluster) -> str:
    """The name of a cluster's migrated database; nobody is to connect to it."""
    url = cluster.create_database()
    name = url.rpartition("/")[2]
    writer = open_writer(url)
    migrate(writer)
    writer.close()
    with cluster.superuser(name) as connection:
        connection.execute(SEEN)
    _leave(cluster, name)
    return name


def _leave(cluster: Cluster, name: str) -> None:
    """Wait until nobody is connected: a session ends a moment after its connection."""
    sessions = "select 1 from pg_stat_activity where datname = %s"
    until(lambda: not cluster.control(sessions, (name,)))


def _as_sqlite(value: object) -> object:
    """Sums of whole numbers are decimals here."""
    return int(value) if isinstance(value, Decimal) else value

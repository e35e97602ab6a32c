"""Homes: where a test's database is, of either engine; new, migrated, and dropped in the end.

A test that takes `home` runs once for each engine. One of many examples takes `homes`, and has
`ENGINE_DRAWN` draw the engine: PostgreSQL costs more, so it has its turn less often.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, cast

import apsw
from hypothesis import strategies as st

from farebox.store.contract import Reader, Writer
from farebox.store.sqlite.database import SqliteDatabase, open_reader, open_writer
from farebox.store.sqlite.migrate import migrate
from tests.support.cluster import Cluster
from tests.support.pg_home import PostgresHome

ENGINES = ("sqlite", "postgres")
ENGINE_DRAWN = st.sampled_from(("sqlite",) * 5 + ("postgres",))
Value = str | int | bytes | None


class Look(Protocol):
    """A connection for statements of a test's own, which see the tables as SQLite has them."""

    def execute(self, statement: str, values: Sequence[Value] = ..., /) -> Iterable[Any]:
        """The rows of a statement."""


class Home(Protocol):
    """A database. What was opened is closed by whoever opened it.

    `path` is its file, or what stands for one where nobody looks.
    """

    path: Path

    def open_writer(self) -> Writer:
        """A writing connection."""

    def open_reader(self) -> Reader:
        """A reading connection."""

    def open_look(self, reader: Reader) -> Look:
        """A look into it, closed with the reader or the home."""

    def plant(self, script: str) -> None:
        """Change it past the program, and as far as can be past the schema's own rules."""

    def copy(self) -> Home:
        """A copy, made while nobody is connected."""

    def contents(self) -> Iterator[bytes]:
        """All that is kept, as raw as can be, in parts."""

    def close(self) -> None:
        """Drop it."""


class SqliteHome:
    """A file `farebox.db` in a folder that pytest removes."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "farebox.db"
        writer = open_writer(self.path)
        migrate(writer)
        writer.close()

    def open_writer(self) -> SqliteDatabase:
        """A writing connection. It syncs nothing: what is tested is the logic."""
        writer = open_writer(self.path)
        writer.connection.pragma("synchronous", "off")
        return writer

    def open_reader(self) -> SqliteDatabase:
        """A reading connection."""
        return open_reader(self.path)

    def open_look(self, reader: Reader) -> apsw.Connection:
        """The reader's own connection."""
        return cast("SqliteDatabase", reader).connection

    def plant(self, script: str) -> None:
        """Change it past all of its rules; something must have changed."""
        connection = apsw.Connection(str(self.path))
        connection.pragma("foreign_keys", value=False)
        connection.pragma("ignore_check_constraints", value=True)
        connection.execute(script)
        assert connection.total_changes()
        connection.close()

    def copy(self) -> SqliteHome:
        """A file in a folder beside."""
        number = len(list(self.path.parent.glob("copy-*")))
        folder = self.path.parent / f"copy-{number}"
        folder.mkdir()
        source, target = (
            apsw.Connection(str(self.path)),
            apsw.Connection(str(folder / "farebox.db")),
        )
        with target.backup("main", source, "main") as backup:
            backup.step()
        source.close()
        target.close()
        return SqliteHome(folder)

    def contents(self) -> Iterator[bytes]:
        """The file and what lies beside it."""
        files = [path for path in self.path.parent.iterdir() if path.is_file()]
        return (path.read_bytes() for path in files)

    def close(self) -> None:
        """Nothing: the folder goes away."""


class Homes:
    """Makes homes. Those that `new` made are dropped with it."""

    def __init__(self, new_folder: Callable[[], Path], cluster: Callable[[], Cluster]) -> None:
        self._new_folder = new_folder
        self._cluster = cluster
        self._made: list[Home] = []

    def new(self, engine: str) -> Home:
        """A home of an engine."""
        home: Home
        if engine == "sqlite":
            home = SqliteHome(self._new_folder())
        else:
            home = PostgresHome(self._cluster())
        self._made.append(home)
        return home

    @contextmanager
    def one(self, engine: str) -> Iterator[Home]:
        """A home for the time of the `with`."""
        home = self.new(engine)
        try:
            yield home
        finally:
            self._made.remove(home)
            home.close()

    def close(self) -> None:
        """Drop what is left."""
        while self._made:
            self._made.pop().close()

"""The database: the one place above the engines that knows there are two.

What is kept in SQLite is a file; what is kept in PostgreSQL is a server's. Whoever opens one gets
the same contract. Nothing that is printed of it holds its password.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from farebox.core.database_url import DatabaseUrl, file_url
from farebox.store.contract import Reader, Writer
from farebox.store.migration import Phase
from farebox.store.postgres import connection as postgres
from farebox.store.postgres import life
from farebox.store.postgres import migrate as postgres_schema
from farebox.store.sqlite import database as sqlite
from farebox.store.sqlite import migrate as sqlite_schema


@dataclass(frozen=True, slots=True)
class Database:
    """One database, by its URL."""

    url: DatabaseUrl

    def __str__(self) -> str:
        """Without a password."""
        return str(self.url)

    @property
    def is_file(self) -> bool:
        """Whether it is one file, that can be copied and put in another's place."""
        return self.url.file is not None

    @property
    def path(self) -> Path:
        """The file of one that is a file."""
        assert self.url.file is not None, "a server's database is no file"
        return Path(self.url.file)

    def open_reader(self) -> Reader:
        """A connection that only reads.

        Raises:
            StoreFaultError: it can't be opened.
        """
        if self.is_file:
            return sqlite.open_reader(self.path)
        return postgres.open_reader(self.url.reveal())

    def open_checked_reader(self) -> Reader:
        """A connection that only reads, of who can't bring the schema up to date.

        Raises:
            StoreFaultError: it can't be opened, or its schema is not this program's.
        """
        if self.is_file:
            file_reader = sqlite.open_reader(self.path)
            return _checked(file_reader, partial(sqlite_schema.check_schema, file_reader))
        reader = postgres.open_reader(self.url.reveal())
        return _checked(reader, partial(postgres_schema.check_schema, reader))

    def open_writer(self) -> Writer:
        """A connection that writes.

        Raises:
            StoreFaultError: it can't be opened, or doesn't keep what it acknowledges.
        """
        if self.is_file:
            return sqlite.open_writer(self.path)
        return postgres.open_writer(self.url.reveal())

    def renewals(self) -> dict[int, int]:
        """How often each node has renewed that a server's database knows; none of a file."""
        if self.is_file:
            return {}
        return life.renewals(self.url.reveal())

    def prepare(self, *, is_last: bool = False) -> list[str]:
        """Bring the schema up to date, as far as a program may; the names of the steps taken.

        `is_last`: also take away what older programs needed; none of them may run any more.

        Raises:
            StoreFaultError: it can't be opened, is of a newer Farebox or of something else.
        """
        phase: Phase = "post" if is_last else "pre"
        if self.is_file:
            with closing(sqlite.open_writer(self.path)) as file_writer:
                return sqlite_schema.migrate(file_writer, phase)
        with closing(postgres.open_writer(self.url.reveal())) as writer:
            return postgres_schema.migrate(writer, phase)


def file_database(path: Path) -> Database:
    """A database of SQLite, by its file."""
    return Database(file_url(str(path)))


def _checked(reader: Reader, check: Callable[[], None]) -> Reader:
    try:
        check()
    except BaseException:
        reader.close()
        raise
    return reader

"""The database: the one place above the engines that knows there are two.

What is kept in SQLite is a file; what is kept in PostgreSQL is a server's. Whoever opens one gets
the same contract. Nothing that is printed of it holds its password.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from farebox.core.database_url import DatabaseUrl, file_url
from farebox.store.contract import Reader, Writer
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
        return sqlite.open_reader(self.path)

    def open_checked_reader(self) -> Reader:
        """A connection that only reads, of who can't bring the schema up to date.

        Raises:
            StoreFaultError: it can't be opened, or its schema is not this program's.
        """
        reader = sqlite.open_reader(self.path)
        try:
            sqlite_schema.check_schema(reader)
        except BaseException:
            reader.close()
            raise
        return reader

    def open_writer(self) -> Writer:
        """A connection that writes.

        Raises:
            StoreFaultError: it can't be opened.
        """
        return sqlite.open_writer(self.path)

    def prepare(self) -> list[str]:
        """Bring the schema up to date, as far as a program may; the names of the steps taken.

        Raises:
            StoreFaultError: it can't be opened, is of a newer Farebox or of something else.
        """
        with closing(sqlite.open_writer(self.path)) as writer:
            return sqlite_schema.migrate(writer)


def file_database(path: Path) -> Database:
    """A database of SQLite, by its file."""
    return Database(file_url(str(path)))

"""Copies of a whole database file, and what must be known of one before it is trusted.

A copy is made in one step from a reading connection: one snapshot, while the writer goes on. A copy
in several steps would begin anew with every commit, and under load never end. The copy is one
plain file without a write-ahead log.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, cast
from urllib.parse import quote

import apsw

from farebox.store.contract import StoreFaultError
from farebox.store.migration import newer_than
from farebox.store.sqlite.database import BUSY_TIMEOUT_MS, SqliteDatabase, open_reader
from farebox.store.sqlite.migrate import APPLICATION_ID, all_migrations, schema_state

# What SQLite keeps beside a database. The log may hold commits that the file lacks.
LOG_SUFFIX = "-wal"
SIDE_SUFFIXES = (LOG_SUFFIX, "-shm", "-journal")
_ALL_PAGES = -1
_DELETE = "delete"


class Commit(NamedTuple):
    """A commit."""

    commit_id: int
    at_ms: int


class Copied(NamedTuple):
    """A copy that was read again.

    `problem` is empty when it is a sound database of Farebox. `newest` is its last commit; None
    when there is a problem, or nothing in it.
    """

    problem: str
    newest: Commit | None = None


def copy_database(source: Path, target: Path, *, is_at_rest: bool = False) -> None:
    """Copy a database, as it is at this moment, over an empty file or none.

    One `is_at_rest` is written by nobody, and may lie where nothing can be written.

    Raises:
        StoreFaultError: the source can't be read or the target can't be written.
    """
    open_source = _unchanging if is_at_rest else _reading
    with _faults(), open_source(source) as reading, _connected(target) as writing:
        # Whoever makes the copy syncs it once; a journal would only wait for a crash to confuse.
        writing.pragma("journal_mode", "off")
        writing.pragma("synchronous", "off")
        with writing.backup("main", reading, "main") as backup:
            backup.step(_ALL_PAGES)
            if not backup.done:
                message = "the copy came to no end"
                raise StoreFaultError(message)


def check_copy(path: Path) -> Copied:
    """Read a copy again, all of it. Nobody may be writing it.

    Raises:
        StoreFaultError: it can't be read at all.
    """
    with _faults(), _unchanging(path) as copy:
        database = SqliteDatabase(copy)
        if database.number("application_id") != APPLICATION_ID:
            return Copied("it is not a database of Farebox")
        complaint = newer_than(schema_state(database), all_migrations()[-1].number)
        if complaint:
            return Copied(complaint)
        found = cast("str", copy.pragma("quick_check"))
        if found != "ok":
            return Copied(f"it is damaged: {found}")
        return Copied("", database.one("commits_newest", Commit))


def close_up(path: Path) -> bool:
    """Put all that a database's log holds into the file, and do without log from now on.

    False when another process has the database open.

    Raises:
        StoreFaultError: the file is damaged, or no database.
    """
    with _faults(), _connected(path) as database:
        with suppress(apsw.BusyError, apsw.LockedError):
            return bool(database.pragma("journal_mode", _DELETE) == _DELETE)
        return False


@contextmanager
def _reading(path: Path) -> Iterator[apsw.Connection]:
    """A database that others may be writing."""
    reader = open_reader(path)
    try:
        yield reader.connection
    finally:
        reader.close()


@contextmanager
def _unchanging(path: Path) -> Iterator[apsw.Connection]:
    """A file that nobody writes: read without locks, without a trace beside it."""
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    connection = apsw.Connection(f"file:{quote(str(path.resolve()))}?immutable=1", flags=flags)
    try:
        yield connection
    finally:
        connection.close(force=True)


@contextmanager
def _connected(path: Path) -> Iterator[apsw.Connection]:
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    try:
        yield connection
    finally:
        connection.close(force=True)


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except apsw.Error as error:
        message = f"{type(error).__name__}: {error}"
        raise StoreFaultError(message) from error

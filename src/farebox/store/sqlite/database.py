"""One SQLite connection with named queries, through APSW.

WAL with full sync: what is committed survives a power cut. The writer is one connection in one
process (the recorder); readers are read-only. Errors are told apart here, once: a broken
constraint is the row's fault, everything else is the store's.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Generic, NamedTuple, cast

import apsw

from farebox.store.contract import (
    NO_LOCKS,
    Changed,
    ConstraintBrokenError,
    Locks,
    Pending,
    QueryTimeoutError,
    Row,
    SqlValue,
    StoreFaultError,
)
from farebox.store.queries import SHARED_FOLDER, read_queries
from farebox.store.sqlite.wal import make_durable

SQL_FOLDER = Path(__file__).parent / "sql"
BUSY_TIMEOUT_MS = 5_000
WAL_PAGES_BEFORE_CHECKPOINT = 4_000
CACHE_KIB = 64 * 1024
STATEMENTS_CACHED = 200
PROGRESS_STEPS = 1_000


@lru_cache(maxsize=1)
def named_queries() -> dict[str, str]:
    """The SQL of every named query."""
    return read_queries("apsw", SHARED_FOLDER, SQL_FOLDER)


class _Found(NamedTuple, Generic[Row]):
    found: list[Row]

    def rows(self) -> list[Row]:
        return self.found


class _Changed:
    def __init__(self, changed: int) -> None:
        self._changed = changed

    def count(self) -> int:
        return self._changed


class SqliteDatabase:
    """A connection; see `store.contract` for what its methods promise."""

    # The recorder's lock keeps every other writer out.
    is_alone = True
    # Nothing is far away.
    round_trips = 0

    def __init__(self, connection: apsw.Connection) -> None:
        self.connection = connection
        self.has_failed = False
        self._sql = named_queries()

    def rows(self, name: str, /, row_type: type[Row], **params: SqlValue) -> list[Row]:
        """All rows of a named query."""
        with _telling_apart(self):
            cursor = self.connection.execute(self._sql[name], params)
            return [row_type._make(values) for values in cursor]

    def ask(self, name: str, /, row_type: type[Row], **params: SqlValue) -> Pending[Row]:
        """The rows of a query: nothing is far away here."""
        return _Found(self.rows(name, row_type, **params))

    def one(self, name: str, /, row_type: type[Row], **params: SqlValue) -> Row | None:
        """The first row, if there is one."""
        with _telling_apart(self):
            for values in self.connection.execute(self._sql[name], params):
                return row_type._make(values)
        return None

    def value(self, name: str, /, **params: SqlValue) -> SqlValue:
        """The first column of the first row; None when there is no row."""
        with _telling_apart(self):
            for values in self.connection.execute(self._sql[name], params):
                return cast("SqlValue", values[0])
        return None

    def integer(self, name: str, /, **params: SqlValue) -> int:
        """The first column of the first row as an integer; 0 for null or no row."""
        found = self.value(name, **params)
        return found if isinstance(found, int) else 0

    def execute(self, name: str, /, **params: SqlValue) -> int:
        """Run a named statement; the number of rows it changed."""
        with _telling_apart(self):
            before = self.connection.total_changes()
            self.connection.execute(self._sql[name], params)
            return self.connection.total_changes() - before

    def execute_many(self, name: str, /, rows: Iterable[Sequence[SqlValue]]) -> int:
        """Run a named statement with positional parameters for each row; rows changed in all."""
        with _telling_apart(self):
            before = self.connection.total_changes()
            self.connection.executemany(self._sql[name], rows)
            return self.connection.total_changes() - before

    def send(self, name: str, /, **params: SqlValue) -> None:
        """Run a named statement whose count nobody needs."""
        with _telling_apart(self):
            self.connection.execute(self._sql[name], params)

    def send_many(self, name: str, /, rows: Iterable[Sequence[SqlValue]]) -> None:
        """Run a named statement with positional parameters for each row, like `send`."""
        with _telling_apart(self):
            self.connection.executemany(self._sql[name], rows)

    def ask_many(self, name: str, /, rows: Iterable[Sequence[SqlValue]]) -> Changed:
        """The same, and the rows changed in all: nothing is far away here."""
        return _Changed(self.execute_many(name, rows))

    def hold_node(self, node_id: int) -> None:
        """There is no other node here."""

    def begin(self, locks: Locks = NO_LOCKS) -> None:  # noqa: ARG002 - one lock is all
        """Open the transaction; waits for no lock it can't get in time."""
        self._control("begin immediate")

    def commit_id(self) -> int:
        """The id for the commit of the open transaction."""
        return self.integer("commits_last") + 1

    def commit(self) -> None:
        """Commit with full sync."""
        self._control("commit")

    def rollback(self) -> None:
        """Undo the open transaction, if there is one."""
        if self.connection.in_transaction:
            self._control("rollback")

    def savepoint(self) -> None:
        """Mark a point inside the transaction."""
        self._control("savepoint here")

    def rollback_to_savepoint(self) -> None:
        """Undo what came after the savepoint, and forget it."""
        self._control("rollback to here")
        self._control("release here")

    def release_savepoint(self) -> None:
        """Keep what came after the savepoint, and forget it."""
        self._control("release here")

    def begin_read(self) -> None:
        """Hold one snapshot until `end_read`."""
        self._control("begin")

    def end_read(self) -> None:
        """Let the snapshot go."""
        self.rollback()

    @contextmanager
    def wall(self, profile_id: int) -> Iterator[None]:  # noqa: ARG002 - there is none
        """See what the queries ask for: a file has no wall."""
        yield

    @contextmanager
    def budget(self, milliseconds: int) -> Iterator[None]:
        """Stop queries inside that run past the budget, with `QueryTimeoutError`."""
        deadline = time.monotonic() + milliseconds / 1000
        self.connection.set_progress_handler(lambda: time.monotonic() > deadline, PROGRESS_STEPS)
        try:
            yield
        finally:
            self.connection.set_progress_handler(None)

    def interrupt(self) -> None:
        """Stop the query that runs now; nothing happens when there is none."""
        self.connection.interrupt()

    def close(self) -> None:
        """Close the connection, whatever state it is in.

        After a failure the log stays as it is: the next writer makes it durable before it is used.
        """
        with suppress(apsw.Error):
            if self.has_failed:
                self.connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        with suppress(apsw.Error):
            self.connection.close(force=True)

    def keep_log(self) -> None:
        """Have the database keep a write-ahead log, now and for ever.

        Raises:
            StoreFaultError: the file system can't.
        """
        with _telling_apart(self):
            mode = self.connection.pragma("journal_mode", "wal")
        if mode != "wal":
            message = f"the database can't keep a write-ahead log here; its journal is '{mode}'"
            raise StoreFaultError(message)

    def number(self, pragma: str, value: int | None = None) -> int:
        """A number in the header of the file, after setting it if one is given."""
        with _telling_apart(self):
            if value is not None:
                self.connection.pragma(pragma, value)
            return cast("int", self.connection.pragma(pragma))

    def script(self, sql: str) -> None:
        """Run the statements of a migration."""
        self._control(sql)

    def _control(self, statement: str) -> None:
        with _telling_apart(self):
            self.connection.execute(statement)


def open_writer(path: Path, *, vfs: str | None = None) -> SqliteDatabase:
    """The writing connection. The caller holds the recorder's lock."""
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    with _telling_apart():
        make_durable(path, vfs)
    database = _open(path, flags, vfs)
    with _closing_on_failure(database):
        connection = database.connection
        connection.pragma("synchronous", "full")
        connection.pragma("foreign_keys", value=True)
        connection.pragma("cache_size", -CACHE_KIB)
        connection.pragma("wal_autocheckpoint", WAL_PAGES_BEFORE_CHECKPOINT)
        connection.pragma("temp_store", "memory")
    return database


def open_reader(path: Path) -> SqliteDatabase:
    """A read-only connection."""
    database = _open(path, apsw.SQLITE_OPEN_READONLY, None)
    with _closing_on_failure(database):
        database.connection.pragma("query_only", value=True)
    return database


def _open(path: Path, flags: int, vfs: str | None) -> SqliteDatabase:
    with _telling_apart():
        connection = apsw.Connection(
            str(path), flags=flags, vfs=vfs, statementcachesize=STATEMENTS_CACHED
        )
        connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    return SqliteDatabase(connection)


@contextmanager
def _closing_on_failure(database: SqliteDatabase) -> Iterator[None]:
    try:
        with _telling_apart(database):
            yield
    except BaseException:
        database.close()
        raise


@contextmanager
def _telling_apart(database: SqliteDatabase | None = None) -> Iterator[None]:
    try:
        yield
    except (apsw.ConstraintError, OverflowError) as error:
        # A number beyond 64 bits is a broken rule too: of the row that brings it, not of the store.
        raise ConstraintBrokenError(str(error)) from error
    except apsw.InterruptError as error:
        raise QueryTimeoutError(str(error)) from error
    except apsw.Error as error:
        if database is not None:
            database.has_failed = True
        message = f"{type(error).__name__}: {error}"
        raise StoreFaultError(message) from error

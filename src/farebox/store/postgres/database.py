"""One PostgreSQL connection with named queries, through psycopg's libpq.

What is sent is not waited for: a transaction that reads once and then only writes goes to the
server twice, however many statements it has. `round_trips` counts. What fails breaks the open
transaction, which has to be rolled back, or back to its savepoint. After a fault of the store the
connection is closed, and never used again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Generic, cast

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer

from farebox.store.contract import (
    NO_LOCKS,
    ConstraintBrokenError,
    Locks,
    QueryTimeoutError,
    Row,
    SqlValue,
    StoreFaultError,
)
from farebox.store.postgres.locks import lock_rows
from farebox.store.postgres.months import LOG_OF_STATEMENT, Months
from farebox.store.postgres.pipeline import Answer, Pipeline
from farebox.store.postgres.statements import (
    Statement,
    column_values,
    control,
    named_statements,
    named_values,
)

# As the sequence of commits says.
COMMIT_IDS_TAKEN = 1_000

_BEGIN = control("begin isolation level read committed read write")
_WAIT_LONG = control("set local lock_timeout = 0")
_WAIT_SHORT = control("set local lock_timeout = 5000")
_BEGIN_READ = control("begin isolation level repeatable read read only")
_COMMIT = control("commit")
_ROLLBACK = control("rollback")
_SAVEPOINT = control("savepoint here")
_ROLLBACK_TO = control("rollback to savepoint here")
_RELEASE = control("release savepoint here")


class PostgresDatabase:
    """A connection; see `store.contract` for what its methods promise."""

    is_alone = False

    def __init__(
        self, connection: psycopg.Connection[object], wait_ms_max: int | None = None
    ) -> None:
        self.connection = connection
        self.has_failed = False
        self._node_id = 0
        self.months = Months(())
        self._pipeline = Pipeline(connection, wait_ms_max)
        self._read = Transformer(connection)
        self._statements = named_statements()
        self._is_open = False
        self._wall: int | None = None
        self._commit_ids = range(0)
        self._taking: Answer | None = None

    @property
    def round_trips(self) -> int:
        """How often it was waited for the server."""
        return self._pipeline.round_trips

    def rows(self, name: str, /, row_type: type[Row], **params: SqlValue) -> list[Row]:
        """All rows of a named query."""
        return self._rows(self._ask(name, params), row_type)

    def ask(self, name: str, /, row_type: type[Row], **params: SqlValue) -> Asked[Row]:
        """Ask for rows that are looked at later: what is asked together takes one round trip."""
        with self._telling_apart():
            return Asked(self, self._put(name, params), row_type)

    def one(self, name: str, /, row_type: type[Row], **params: SqlValue) -> Row | None:
        """The first row, if there is one."""
        return next(iter(self.rows(name, row_type, **params)), None)

    def value(self, name: str, /, **params: SqlValue) -> SqlValue:
        """The first column of the first row; None when there is no row."""
        result = self._ask(name, params)
        if not result.ntuples:
            return None
        self._read.set_pgresult(result)
        values = cast("tuple[SqlValue, ...]", self._read.load_row(0, tuple))
        return values[0]

    def integer(self, name: str, /, **params: SqlValue) -> int:
        """The first column of the first row as an integer; 0 for null or no row."""
        found = self.value(name, **params)
        return found if isinstance(found, int) else 0

    def execute(self, name: str, /, **params: SqlValue) -> int:
        """Run a named statement; the number of rows it changed."""
        return self._ask(name, params).command_tuples or 0

    def execute_many(self, name: str, /, rows: Iterable[Sequence[SqlValue]]) -> int:
        """Run a named statement with positional parameters for each row; rows changed in all."""
        return self.ask_many(name, rows).count()

    def send(self, name: str, /, **params: SqlValue) -> None:
        """Run a named statement whose count nobody needs; it goes with what follows."""
        with self._telling_apart():
            self._put(name, params)

    def send_many(self, name: str, /, rows: Iterable[Sequence[SqlValue]]) -> None:
        """Run a named statement with positional parameters for each row, like `send`."""
        with self._telling_apart():
            self._put_many(name, list(rows))

    def ask_many(self, name: str, /, rows: Iterable[Sequence[SqlValue]]) -> AskedMany:
        """The same for rows whose count is looked at later: it goes with what follows."""
        with self._telling_apart():
            return AskedMany(self, self._put_many(name, list(rows)))

    def hold_node(self, node_id: int) -> None:
        """Have each transaction from now on hold this node, before it waits for its locks."""
        self._node_id = node_id

    def begin(self, locks: Locks = NO_LOCKS) -> None:
        """Open a transaction; its locks are taken before whatever is sent next."""
        with self._telling_apart():
            self._is_open = True
            self._pipeline.put(_BEGIN)
            if self._node_id:
                # First: whoever waits for a lock is there.
                self._put("node_hold", {"node_id": self._node_id})
            self._put_many("locks_take", lock_rows(locks))
            self._take_over_ids()
            if not self._commit_ids:
                self._taking = self._put("commit_ids_take", {})

    def commit_id(self) -> int:
        """The id for the commit of the open transaction; ascending, with gaps."""
        if not self._commit_ids:
            with self._telling_apart():
                self._taking = self._taking or self._put("commit_ids_take", {})
                if self._taking.result is None:
                    self._pipeline.settle()
            self._take_over_ids()
        taken, self._commit_ids = self._commit_ids[0], self._commit_ids[1:]
        return taken

    def commit(self) -> None:
        """Send all that waits, and commit.

        Raises:
            ConstraintBrokenError: something that was sent breaks a rule; nothing is committed.
            StoreFaultError: the outcome is unknown.
        """
        with self._telling_apart():
            answer = self._pipeline.put(_COMMIT)
            self._pipeline.settle()
            if _result(answer).command_status != b"COMMIT":
                message = "the transaction had failed before its commit"
                raise StoreFaultError(message)
        self._is_open = False
        self.months.keep()

    def rollback(self) -> None:
        """Undo the open transaction, if there is one."""
        if not self._is_open:
            return
        self._is_open = False
        self.months.forget()
        if not self.has_failed:
            self._settle_broken()
            with self._telling_apart():
                self._pipeline.put(_ROLLBACK)
                self._pipeline.push()

    def savepoint(self) -> None:
        """Mark a point inside the transaction."""
        self._control(_SAVEPOINT)

    def rollback_to_savepoint(self) -> None:
        """Undo what came after the savepoint, and forget it."""
        self.months.forget()
        self._settle_broken()
        self._control(_ROLLBACK_TO)
        self._control(_RELEASE)

    def release_savepoint(self) -> None:
        """Keep what came after the savepoint, and forget it."""
        self._control(_RELEASE)

    def begin_read(self) -> None:
        """Hold one snapshot until `end_read`."""
        with self._telling_apart():
            self._is_open = True
            self._pipeline.put(_BEGIN_READ)
            if self._wall is not None:
                # Of this transaction alone, so that it ends with it, whatever happens.
                self._put("session_wall", {"profile_id": self._wall})

    def end_read(self) -> None:
        """Let the snapshot go; nobody waits for that."""
        self.rollback()

    @contextmanager
    def wall(self, profile_id: int) -> Iterator[None]:
        """Let queries inside see one workspace alone, by row-level security."""
        assert not self._is_open, "a transaction is behind one wall or behind none"
        self._wall = profile_id
        try:
            yield
        finally:
            self._wall = None

    @contextmanager
    def budget(self, milliseconds: int) -> Iterator[None]:
        """Stop queries inside that run past the budget, with `QueryTimeoutError`."""
        with self._pipeline.budget(milliseconds):
            yield

    def interrupt(self) -> None:
        """Stop the query that runs now; nothing happens when there is none."""
        self._pipeline.interrupt()

    def close(self) -> None:
        """Close the connection, whatever state it is in."""
        self._is_open = False
        with suppress(psycopg.Error):
            self.connection.close()

    @contextmanager
    def patience(self) -> Iterator[None]:
        """Wait for the server as long as it takes, for what changes the schema."""
        bound, self._pipeline.wait_ms_max = self._pipeline.wait_ms_max, None
        try:
            yield
        finally:
            self._pipeline.wait_ms_max = bound

    def begin_migration(self) -> None:
        """Open a transaction when no other node migrates."""
        with self._telling_apart():
            self._is_open = True
            self._pipeline.put(_BEGIN)
            # The others' steps may take long; what a step itself waits for may not.
            self._pipeline.put(_WAIT_LONG)
            self._put("migration_lock", {})
            self._pipeline.put(_WAIT_SHORT)

    @contextmanager
    def copying(self) -> Iterator[psycopg.Connection[object]]:
        """The bare connection, for a COPY inside the open transaction."""
        with self._telling_apart(), self._pipeline.left():
            yield self.connection

    def script(self, sql: str) -> None:
        """Run the statements of a migration."""
        with self._telling_apart():
            self._pipeline.script(sql)

    def _ask(self, name: str, params: Mapping[str, SqlValue]) -> pq.abc.PGresult:
        if self._wall is not None and not self._is_open:
            # In a transaction of its own, and on one way with it.
            self.begin_read()
            try:
                return self._ask(name, params)
            finally:
                self.end_read()
        with self._telling_apart():
            answer = self._put(name, params)
            self._pipeline.settle()
        return _result(answer)

    def look_at(self, answer: Answer, row_type: type[Row]) -> list[Row]:
        """The rows of an answer, waited for unless it is there."""
        return self._rows(self.wait_for(answer), row_type)

    def wait_for(self, answer: Answer) -> pq.abc.PGresult:
        """What a statement was answered with, waited for unless it is there."""
        if answer.result is None:
            with self._telling_apart():
                self._pipeline.settle()
        return _result(answer)

    def _rows(self, result: pq.abc.PGresult, row_type: type[Row]) -> list[Row]:
        self._read.set_pgresult(result)
        return self._read.load_rows(0, result.ntuples, row_type._make)

    def _put(self, name: str, params: Mapping[str, SqlValue]) -> Answer:
        statement = self._statements[name]
        return self._pipeline.put(statement, named_values(statement, params))

    def _put_many(self, name: str, rows: Sequence[Sequence[SqlValue]]) -> Answer | None:
        statement = self._statements[name]
        values = column_values(statement, rows)
        if values is None:
            return None
        if name in LOG_OF_STATEMENT:
            for month in self.months.missing(name, rows):
                self._put("month_make", {"log": month.log, "first_ms": month.at_ms})
        return self._pipeline.put(statement, values)

    def _take_over_ids(self) -> None:
        """Have the block of ids that was asked for, if it came."""
        taking, self._taking = self._taking, None
        if taking is not None and taking.result is not None:
            self._read.set_pgresult(taking.result)
            first = cast("tuple[int]", self._read.load_row(0, tuple))[0]
            self._commit_ids = range(first, first + COMMIT_IDS_TAKEN)

    def _control(self, statement: Statement) -> None:
        with self._telling_apart():
            self._pipeline.put(statement)

    def _settle_broken(self) -> None:
        """Wait for what was sent and is to be undone; whether it failed is all the same."""
        with self._telling_apart(), suppress(ConstraintBrokenError, QueryTimeoutError):
            if self._pipeline.is_waiting:
                self._pipeline.settle()

    @contextmanager
    def _telling_apart(self) -> Iterator[None]:
        try:
            yield
        except (ConstraintBrokenError, QueryTimeoutError):
            raise
        except psycopg.Error as error:
            self._fail()
            message = f"{type(error).__name__}: {error}"
            raise StoreFaultError(message) from error
        except BaseException:
            # Also when the wait itself was broken off: what comes next answers something else.
            self._fail()
            raise

    def _fail(self) -> None:
        self.has_failed = True
        self.close()


class Asked(Generic[Row]):
    """The rows of a query, waited for when they are first looked at."""

    def __init__(self, database: PostgresDatabase, answer: Answer, row_type: type[Row]) -> None:
        self._database = database
        self._answer = answer
        self._row_type = row_type
        self._found: list[Row] | None = None

    def rows(self) -> list[Row]:
        """All rows."""
        if self._found is None:
            self._found = self._database.look_at(self._answer, self._row_type)
        return self._found


class AskedMany:
    """How many rows a statement changed, waited for when that is looked at."""

    def __init__(self, database: PostgresDatabase, answer: Answer | None) -> None:
        self._database = database
        # Without rows nothing was sent.
        self._answer = answer

    def count(self) -> int:
        """That number."""
        if self._answer is None:
            return 0
        return self._database.wait_for(self._answer).command_tuples or 0


def _result(answer: Answer) -> pq.abc.PGresult:
    if answer.result is None:
        message = "a statement before this one failed"
        raise StoreFaultError(message)
    return answer.result

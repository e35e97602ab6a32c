"""What every storage engine offers: named queries on one connection, and two kinds of failure.

Queries are named in `.sql` files, the same names and parameters in every engine. A row comes back
as the given `NamedTuple` type, in the order of the query's columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol, TypeVar

from farebox.core.errors import INVALID_REQUEST, FareboxError
from farebox.core.phrase import Phrase

SqlValue = str | int | bytes | None
Row = TypeVar("Row", bound=NamedTuple)
Row_co = TypeVar("Row_co", bound=NamedTuple, covariant=True)


class ConstraintBrokenError(Exception):
    """A row breaks a rule of the schema: nothing of the statement was done."""


class UnstorableTextError(FareboxError, ConstraintBrokenError):
    """A text holds what this engine keeps in none, which whoever sent it is told (400)."""

    def __init__(self) -> None:
        reason = Phrase("a text in it holds a character that can't be stored")
        super().__init__(INVALID_REQUEST, reason=reason)


class StoreFaultError(Exception):
    """The store failed or is gone. After a failed commit its outcome is unknown."""


class QueryTimeoutError(Exception):
    """A query ran past its budget and was stopped."""


class Locks(NamedTuple):
    """What a transaction keeps others from, where others write too; sorted, without repeats.

    `is_alone` keeps everyone from everything. Of the workspaces that are `exclusive` nobody else
    may write anything; of those that are `shared`, others may add what is only ever summed.
    """

    is_alone: bool = False
    exclusive: tuple[int, ...] = ()
    shared: tuple[int, ...] = ()


NO_LOCKS = Locks()


class Pending(Protocol[Row_co]):
    """The rows of a query that may still be on their way."""

    def rows(self) -> Sequence[Row_co]:
        """All rows, waited for at the first call."""


class Changed(Protocol):
    """How many rows a statement changed that may still be on its way."""

    def count(self) -> int:
        """That number, waited for at the first call."""


class Reader(Protocol):
    """Reads; inside `begin_read` and `end_read` all from one snapshot."""

    @property
    def round_trips(self) -> int:
        """How often a server was waited for; never where nothing is far away."""

    def rows(self, name: str, /, row_type: type[Row], **params: SqlValue) -> list[Row]:
        """All rows of a named query."""

    def ask(self, name: str, /, row_type: type[Row], **params: SqlValue) -> Pending[Row]:
        """Ask for rows that are looked at later: what is asked together takes one round trip."""

    def one(self, name: str, /, row_type: type[Row], **params: SqlValue) -> Row | None:
        """The first row, if there is one."""

    def value(self, name: str, /, **params: SqlValue) -> SqlValue:
        """The first column of the first row; None when there is no row."""

    def integer(self, name: str, /, **params: SqlValue) -> int:
        """The first column of the first row as an integer; 0 for null or no row."""

    def begin_read(self) -> None:
        """Hold one snapshot until `end_read`."""

    def end_read(self) -> None:
        """Let the snapshot go."""

    def wall(self, profile_id: int) -> AbstractContextManager[None]:
        """Let queries inside see one workspace alone, where the engine has such a wall.

        It stands behind the conditions of the queries, and in place of none.
        """

    def budget(self, milliseconds: int) -> AbstractContextManager[None]:
        """Stop queries inside that run past the budget, with `QueryTimeoutError`."""

    def interrupt(self) -> None:
        """Stop the query that runs now, with `QueryTimeoutError`. May come from another thread."""

    def close(self) -> None:
        """Close the connection."""


class Writer(Reader, Protocol):
    """Writes, in transactions. Where others write, nothing that was read outlives one."""

    @property
    def is_alone(self) -> bool:
        """Whether nobody else writes to this database."""

    def execute(self, name: str, /, **params: SqlValue) -> int:
        """Run a named statement; the number of rows it changed."""

    def execute_many(self, name: str, /, rows: Iterable[Sequence[SqlValue]]) -> int:
        """Run a named statement with positional parameters for each row; rows changed in all."""

    def send(self, name: str, /, **params: SqlValue) -> None:
        """Run a named statement whose count nobody needs.

        It may be sent with what follows; an error comes with `commit` at the latest.
        """

    def send_many(self, name: str, /, rows: Iterable[Sequence[SqlValue]]) -> None:
        """Run a named statement with positional parameters for each row, like `send`."""

    def ask_many(self, name: str, /, rows: Iterable[Sequence[SqlValue]]) -> Changed:
        """The same for rows whose count is looked at later."""

    def hold_node(self, node_id: int) -> None:
        """Have each transaction from now on hold this node, before it waits for its locks."""

    def begin(self, locks: Locks = NO_LOCKS) -> None:
        """Open a transaction, and take its locks before anything is read."""

    def commit_id(self) -> int:
        """The id for the commit of the open transaction; no other has it, or had."""

    def commit(self) -> None:
        """Commit durably. A `StoreFaultError` here leaves the outcome unknown."""

    def rollback(self) -> None:
        """Undo the open transaction, if there is one."""

    def savepoint(self) -> None:
        """Mark a point inside the transaction (one at a time)."""

    def rollback_to_savepoint(self) -> None:
        """Undo what came after the savepoint, and forget it."""

    def release_savepoint(self) -> None:
        """Keep what came after the savepoint, and forget it."""

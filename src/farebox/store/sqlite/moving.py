"""What a file of SQLite gives away when it moves: every table, in an order that others can take.

All from one snapshot. A table comes after those that its rows point to, its rows by primary key.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple, cast

import apsw

from farebox.store.contract import SqlValue, StoreFaultError
from farebox.store.queries import read_queries
from farebox.store.sqlite.database import SqliteDatabase

_FILE = Path(__file__).parent / "moving.sql"
_SLICES = {"requests": "requests_slices", "captures": "captures_slices"}
_SLICE_BITS = 24


class Table(NamedTuple):
    """A table: its columns, and those of its key in the key's order."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]


@lru_cache(maxsize=1)
def _statements() -> dict[str, str]:
    return read_queries("apsw", _FILE)


class Source:
    """The file, through a connection that holds a snapshot."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._connection = database.connection

    def tables(self) -> list[Table]:
        """All tables, each after those that it points to."""
        names = [str(name) for (name,) in self._ask("table_names")]
        pointing = {
            name: [str(other) for (other,) in self._ask("table_references", name)] for name in names
        }
        return [self._table(name) for name in TopologicalSorter(pointing).static_order()]

    def count(self, table: Table) -> int:
        """How many rows a table has."""
        ((count,),) = self._run(_statements()["table_count"].format(table=table.name))
        return cast("int", count)

    def rows(self, table: Table) -> Iterator[tuple[SqlValue, ...]]:
        """The rows of a table, by primary key."""
        columns, key = ", ".join(table.columns), ", ".join(table.key)
        frame = _statements()["table_rows"]
        yield from self._run(frame.format(columns=columns, table=table.name, key=key))

    def spans_ms(self, table: str) -> Iterator[tuple[int, int]]:
        """First and last milliseconds of short spans that cover all rows of a log."""
        for (part,) in self._ask(_SLICES[table]):
            first_ms = int.from_bytes(cast("bytes", part)) << _SLICE_BITS
            yield first_ms, first_ms + (1 << _SLICE_BITS) - 1

    def _table(self, name: str) -> Table:
        found = [
            (str(column), cast("int", place)) for column, place in self._ask("table_columns", name)
        ]
        key = sorted((place, column) for column, place in found if place)
        return Table(name, tuple(column for column, _ in found), tuple(c for _, c in key))

    def _ask(self, name: str, table: str = "") -> list[tuple[SqlValue, ...]]:
        return list(self._run(_statements()[name], table))

    def _run(self, statement: str, table: str = "") -> Iterator[tuple[SqlValue, ...]]:
        try:
            yield from self._connection.execute(statement, {"name": table})
        except apsw.Error as error:
            message = f"{type(error).__name__}: {error}"
            raise StoreFaultError(message) from error

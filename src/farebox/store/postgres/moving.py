"""What a PostgreSQL database takes in when a file moves there: by COPY, in one transaction.

It must be new: migrated, and never served. Until the commit nobody sees a row, and whatever goes
wrong leaves it new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from psycopg import sql

from farebox.store.contract import Locks, SqlValue, StoreFaultError
from farebox.store.postgres.database import PostgresDatabase

# What no text here can hold, and what stands in its place.
NUL, REPLACEMENT = "\0", "\ufffd"


class Column(NamedTuple):
    """A column; `sequence` numbers it, if it isn't empty."""

    table_name: str
    column_name: str
    sequence: str


class Target:
    """The database, through its writing connection."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database
        self._columns: dict[str, dict[str, Column]] = {}
        self.replaced = 0

    def begin(self) -> None:
        """Open the transaction that keeps everyone else out.

        Raises:
            StoreFaultError: somebody has begun there.
        """
        database = self._database
        # Nobody waits for it, and between two tables it may think for a while.
        database.script("set idle_in_transaction_session_timeout = 0; set lock_timeout = '30s'")
        database.begin(Locks(is_alone=True))
        if database.integer("move_is_begun"):
            message = "the database is not empty; a move needs a new one"
            raise StoreFaultError(message)
        for column in database.rows("move_columns", Column):
            self._columns.setdefault(column.table_name, {})[column.column_name] = column

    def columns(self, table: str) -> set[str]:
        """The names of a table's columns; none, if there is no such table."""
        return set(self._columns.get(table, ()))

    def make_month(self, log: str, at_ms: int) -> None:
        """Have the partition of a month."""
        self._database.execute("month_make", log=log, first_ms=at_ms)

    def open_walls(self) -> None:
        """From here on rows may come, and no partition any more."""
        self._database.execute("move_walls_open")

    def copy(
        self,
        table: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[SqlValue]],
        on_row: Callable[[], None],
    ) -> None:
        """Put rows into a table, and its sequences behind them."""
        statement = sql.SQL("copy {} ({}) from stdin").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        known = self._columns[table]
        numbered = [(i, s) for i, name in enumerate(columns) if (s := known[name].sequence)]
        last = dict.fromkeys((place for place, _ in numbered), 0)
        with (
            self._database.copying() as connection,
            connection.cursor() as cursor,
            cursor.copy(statement) as copy,
        ):
            for row in rows:
                copy.write_row([self._taken(value) for value in row])
                for place in last:
                    value = row[place]
                    last[place] = max(last[place], value if isinstance(value, int) else 0)
                on_row()
        for place, sequence in numbered:
            self._database.value("move_sequence", sequence=sequence, next_number=last[place] + 1)

    def finish(self) -> None:
        """All is there: what follows reads it and commits."""
        self._database.value("move_commit_ids")
        self._database.execute("move_walls_close")
        self._database.execute("move_analyze")

    def _taken(self, value: SqlValue) -> SqlValue:
        if isinstance(value, str) and NUL in value:
            self.replaced += 1
            return value.replace(NUL, REPLACEMENT)
        return value

"""Named statements, read once: the SQL as the server takes it, and the values as it takes them.

In the files a parameter is `:name`; of a statement for many rows the columns are `:c1`, `:c2` and
so on, each with the type of its array (`:c1::bigint[]` or `cast(:c1 as bigint[])`). A percent sign
is written twice. In the files that all engines share there is neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from farebox.store.contract import SqlValue, UnstorableTextError
from farebox.store.postgres.arrays import KINDS, Kind, encode
from farebox.store.queries import SHARED_FOLDER, read_queries

SQL_FOLDER = Path(__file__).parent / "sql"
# Statements of this engine alone.
SESSION_FILE = Path(__file__).parent / "session.sql"
MOVING_FILE = Path(__file__).parent / "moving.sql"

_PLACE = re.compile(r"%\((\w+)\)s|%%")
_COLUMN = re.compile(
    r"%\(c(\d+)\)s\s*::\s*(\w+)\[\]|cast\(\s*%\(c(\d+)\)s\s+as\s+(\w+)\[\]\s*\)", re.IGNORECASE
)
_TEXT, _BINARY = 0, 1
_BYTEA, _BIGINT, _INFERRED = 17, 20, 0


class Statement(NamedTuple):
    """A statement; `columns` are the types of a statement for many rows, in the order of rows."""

    name: str
    sql: bytes
    parameters: tuple[str, ...]
    columns: tuple[Kind, ...]


class Values(NamedTuple):
    """What a statement is run with: a type, a value and a form (text or binary) a parameter."""

    types: tuple[int, ...] = ()
    values: tuple[bytes | None, ...] = ()
    forms: tuple[int, ...] = ()


NO_VALUES = Values()


@lru_cache(maxsize=1)
def named_statements() -> dict[str, Statement]:
    """Every statement by its name."""
    queries = read_queries("psycopg", SHARED_FOLDER, SQL_FOLDER, SESSION_FILE, MOVING_FILE)
    return {name: _statement(name, sql) for name, sql in queries.items()}


def control(sql: str) -> Statement:
    """A statement without a name: one that begins, ends or parts a transaction."""
    return Statement("", sql.encode(), (), ())


def named_values(statement: Statement, params: Mapping[str, SqlValue]) -> Values:
    """The values of named parameters.

    Raises:
        UnstorableTextError: a text that PostgreSQL can't hold.
    """
    encoded = [_encode(params[name]) for name in statement.parameters]
    return Values(*zip(*encoded, strict=True)) if encoded else NO_VALUES


def column_values(statement: Statement, rows: Iterable[Sequence[SqlValue]]) -> Values | None:
    """The values of many rows; None when there are no rows.

    Raises:
        ConstraintBrokenError: a value that its column can't hold.
    """
    columns = list(zip(*rows, strict=True))
    if not columns:
        return None
    kinds = statement.columns
    encoded = [encode(kind, column) for kind, column in zip(kinds, columns, strict=True)]
    # A column may stand at several places of the SQL, and in any order.
    places = [int(name.removeprefix("c")) - 1 for name in statement.parameters]
    types = tuple(kinds[place].array_id for place in places)
    return Values(types, tuple(encoded[place] for place in places), (_BINARY,) * len(places))


def _encode(value: SqlValue) -> tuple[int, bytes | None, int]:
    if value is None:
        return (_INFERRED, None, _TEXT)
    if isinstance(value, int):
        return (_BIGINT, b"%d" % value, _TEXT)
    if isinstance(value, bytes):
        return (_BYTEA, value, _BINARY)
    if "\0" in value:
        # The driver would take it for the end of the text.
        raise UnstorableTextError
    try:
        return (_INFERRED, value.encode(), _TEXT)
    except UnicodeEncodeError as error:
        raise UnstorableTextError from error


def _statement(name: str, sql: str) -> Statement:
    columns = {int(a or b): KINDS[c or d] for a, c, b, d in _COLUMN.findall(sql)}
    names: list[str] = []

    def numbered(match: re.Match[str]) -> str:
        if match[1] is None:
            return "%"
        if match[1] not in names:
            names.append(match[1])
        return f"${names.index(match[1]) + 1}"

    text = _PLACE.sub(numbered, sql).strip().removesuffix(";")
    kinds = tuple(columns[number] for number in sorted(columns))
    return Statement(name, text.encode(), tuple(names), kinds)

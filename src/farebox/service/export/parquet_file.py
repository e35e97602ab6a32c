"""A table as Parquet, by pyarrow, which comes with the extra `farebox[parquet]`.

Credits and other numbers are decimals of 38 digits, 6 of them behind the point; dates are dates.
pyarrow is loaded when the first file is made: it takes 40 MB of memory that most servers never
need, and isn't there at all without the extra.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from farebox.core.errors import INVALID_FIELD, FareboxError
from farebox.core.phrase import Phrase
from farebox.service.export.table import Cell, Column, Table, pieces

MEDIA_TYPE = "application/vnd.apache.parquet"
EXTRA = "farebox[parquet]"
DIGITS, PLACES = 38, 6


@cache
def is_available() -> bool:
    """Whether pyarrow is installed; it isn't loaded for that."""
    return find_spec("pyarrow") is not None


def check_available() -> None:
    """Refuse what can't be made.

    Raises:
        FareboxError: 400, pyarrow isn't installed; the extra is named.
    """
    if not is_available():
        expected = Phrase("'csv', since this server runs without '{extra}'", extra=EXTRA)
        raise FareboxError(INVALID_FIELD, field="format", expected=expected)


def parquet_chunks(table: Table) -> Iterator[bytes]:
    """The file, piece by piece: a row group each, and the footer last.

    Raises:
        FareboxError: as `check_available`.
    """
    check_available()
    return _chunks(table)


def _chunks(table: Table) -> Iterator[bytes]:
    arrow: Any = import_module("pyarrow")
    parquet: Any = import_module("pyarrow.parquet")
    schema = arrow.schema(
        [arrow.field(column.name, _arrow_type(arrow, column)) for column in table.columns]
    )
    sink = _Sink()
    with parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        for piece in pieces(table):
            columns = zip(*piece, strict=True) if piece else ([] for _ in table.columns)
            arrays = [
                arrow.array([_value(column, cell) for cell in cells], field.type)
                for column, cells, field in zip(table.columns, columns, schema, strict=True)
            ]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))
            yield sink.take()
    yield sink.take()


class _Sink:
    """A file that only takes; what it was given is taken from it before more comes."""

    closed = False

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: Any) -> int:  # noqa: ANN401 - a buffer of pyarrow
        """Take bytes."""
        self._written += data
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Keep what was written, for `take`."""

    def take(self) -> bytes:
        """What was written since the last time."""
        taken = bytes(self._written)
        self._written.clear()
        return taken


def _arrow_type(arrow: Any, column: Column) -> Any:  # noqa: ANN401 - pyarrow has no types
    match column.kind:
        case "text":
            return arrow.string()
        case "date":
            return arrow.date32()
        case "integer":
            return arrow.int64()
        case "credits" | "number":
            return arrow.decimal128(DIGITS, PLACES)


def _value(column: Column, cell: Cell) -> object:
    if cell is None:
        return None
    match column.kind:
        case "date":
            assert isinstance(cell, str)
            return date.fromisoformat(cell)
        case "credits":
            return Decimal(cell).scaleb(-PLACES)
        case "number":
            return Decimal(cell)
        case "text" | "integer":
            return cell

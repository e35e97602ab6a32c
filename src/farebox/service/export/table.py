"""Tables: what a report is as rows of one kind each, before it becomes a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal, NamedTuple

from farebox.core.report import Number

# A date is text in the form YYYY-MM-DD; credits are an integer of micro-credits.
ColumnKind = Literal["text", "date", "integer", "credits", "number"]
Cell = str | Number | None
ROWS_PER_PIECE = 10_000


class Column(NamedTuple):
    """A column: its name in the file, and what its cells are."""

    name: str
    kind: ColumnKind


class Table(NamedTuple):
    """Columns, and rows that may be gone through once."""

    columns: tuple[Column, ...]
    rows: Iterable[tuple[Cell, ...]]


def pieces(table: Table) -> Iterator[list[tuple[Cell, ...]]]:
    """The rows in pieces; at least one, which may be empty."""
    rows = iter(table.rows)
    piece = list(islice(rows, ROWS_PER_PIECE))
    yield piece
    while len(piece) == ROWS_PER_PIECE:
        piece = list(islice(rows, ROWS_PER_PIECE))
        if piece:
            yield piece

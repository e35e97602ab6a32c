"""A table as CSV: RFC 4180 in UTF-8, with a header.

A text that a spreadsheet would take for a formula gets an apostrophe in front, so that a name that
somebody chose runs nothing on somebody else's machine. Numbers are plain and exact.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from farebox.core.credits import to_text
from farebox.service.export.table import Cell, Column, Table, pieces

MEDIA_TYPE = "text/csv; charset=utf-8; header=present"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_chunks(table: Table) -> Iterator[bytes]:
    """The file, piece by piece."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)  # by default as RFC 4180 says
    writer.writerow(column.name for column in table.columns)
    for piece in pieces(table):
        writer.writerows(map(_written, table.columns, row) for row in piece)
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()


def _written(column: Column, cell: Cell) -> str:
    if cell is None:
        return ""
    if column.kind == "credits":
        assert isinstance(cell, int)
        return to_text(cell)
    if isinstance(cell, str):
        return f"'{cell}" if column.kind == "text" and cell.startswith(_FORMULA_STARTS) else cell
    return str(cell)  # 3 places at most: never with an exponent

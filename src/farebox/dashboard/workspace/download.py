"""Downloads: a table as a file that is sent piece by piece."""

from __future__ import annotations

from typing import Literal

from starlette.responses import Response, StreamingResponse

from farebox.core.errors import INVALID_FIELD, FareboxError
from farebox.core.phrase import Phrase
from farebox.dashboard.visit import Visit
from farebox.service.export import csv_file, parquet_file
from farebox.service.export.table import Table

FileFormat = Literal["csv", "parquet"]
FORMAT = "format"


def file_format(visit: Visit) -> FileFormat:
    """The format that was asked for.

    Raises:
        FareboxError: 400, it is none of ours, or this server can't make it.
    """
    match visit.query(FORMAT, "csv"):
        case "csv":
            return "csv"
        case "parquet":
            parquet_file.check_available()
            return "parquet"
        case _:
            expected = Phrase("'csv' or 'parquet'")
            raise FareboxError(INVALID_FIELD, field=FORMAT, expected=expected)


def download(table: Table, chosen: FileFormat, name: str) -> Response:
    """The file; `name` is without its ending, of plain letters."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.{chosen}"'}
    if chosen == "csv":
        chunks, media_type = csv_file.csv_chunks(table), csv_file.MEDIA_TYPE
    else:
        chunks, media_type = parquet_file.parquet_chunks(table), parquet_file.MEDIA_TYPE
    return StreamingResponse(chunks, headers=headers, media_type=media_type)

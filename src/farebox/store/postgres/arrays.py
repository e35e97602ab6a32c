"""Columns of rows as PostgreSQL's own binary arrays: many rows are one statement's parameters.

A statement for many rows takes them as `unnest(:c1::bigint[], :c2::text[], ...)`, a column a
parameter. An array of 1,000 numbers costs less than 1,000 statements by far, and what it holds is
never read as text.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

from farebox.store.contract import ConstraintBrokenError, SqlValue

# Dimensions, whether there are nulls, the type of the elements, how many, the first one's number.
_HEADER = struct.Struct(">iiIii")
_LENGTH = struct.Struct(">i")
_BIGINT = struct.Struct(">iq")
_NULL = _LENGTH.pack(-1)


class Kind(NamedTuple):
    """A type of columns: its number and its array's in PostgreSQL, and how its values are put."""

    type_id: int
    array_id: int
    put: Callable[[Sequence[SqlValue]], bytes]


def encode(kind: Kind, values: Sequence[SqlValue]) -> bytes:
    """A column as an array in binary form.

    Raises:
        ConstraintBrokenError: a value that the column can't hold.
    """
    try:
        body = kind.put(values)
    except (struct.error, UnicodeEncodeError, TypeError, AttributeError) as error:
        message = f"a value is not of its column: {error}"
        raise ConstraintBrokenError(message) from error
    return _HEADER.pack(1, int(None in values), kind.type_id, len(values), 1) + body


def _put_numbers(values: Sequence[SqlValue]) -> bytes:
    put = _BIGINT.pack
    return b"".join([_NULL if value is None else put(8, value) for value in values])


def _put_texts(values: Sequence[SqlValue]) -> bytes:
    encoded = [None if value is None else cast("str", value).encode() for value in values]
    return _put_blobs(encoded)


def _put_blobs(values: Sequence[SqlValue]) -> bytes:
    put = _LENGTH.pack
    return b"".join(
        [
            _NULL if value is None else put(len(value)) + value
            for value in cast("Sequence[bytes | None]", values)
        ]
    )


KINDS = {
    "bigint": Kind(20, 1016, _put_numbers),
    "text": Kind(25, 1009, _put_texts),
    "bytea": Kind(17, 1001, _put_blobs),
}

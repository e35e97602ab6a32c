"""Reading: what the read use cases share. A list comes from the store as one JSON text.

APSW gives the interpreter up at every row, and beside a busy event loop takes up to 5 ms to get it
back: 5,475 rows took 333 ms so, and as one JSON text 7 ms (idle, both take 1.3 ms).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import msgspec

from farebox.core.plan import Plan
from farebox.core.request import UNMAPPED
from farebox.engine.directory import Directory
from farebox.store.contract import Reader, SqlValue

Row = TypeVar("Row")


class DirectoryBehindError(Exception):
    """The store names what the directory hasn't heard of yet: catch up, and read again."""


def check_log_types(directory: Directory, log_type_ids: Iterable[int]) -> None:
    """Refuse to call a log type unmapped that is only new.

    Raises:
        DirectoryBehindError: the directory lacks one of them.
    """
    unknown = set(log_type_ids) - directory.log_types.keys() - {UNMAPPED}
    if unknown:
        message = f"log types {sorted(unknown)}"
        raise DirectoryBehindError(message)


def plan_of(directory: Directory, plan_id: int) -> Plan:
    """The plan with an id that the store names.

    Raises:
        DirectoryBehindError: the directory lacks it.
    """
    plan = directory.plans.get(plan_id)
    if plan is None:
        message = f"plan {plan_id}"
        raise DirectoryBehindError(message)
    return plan


def rows_of(text: SqlValue, decoder: msgspec.json.Decoder[list[Row]]) -> list[Row]:
    """The rows of a query that answers a JSON text: an array of arrays."""
    assert isinstance(text, str)
    return decoder.decode(text)


def json_list(values: Iterable[str | int] | None) -> str | None:
    """A list as a query takes it; None stays None, which is no filter."""
    return None if values is None else msgspec.json.encode(list(values)).decode()


@contextmanager
def snapshot(reader: Reader) -> Iterator[None]:
    """Let all queries inside see the same state of the store."""
    reader.begin_read()
    try:
        yield
    finally:
        reader.end_read()

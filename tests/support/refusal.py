"""What a refused command is told, and that nothing of it remains."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from farebox.core.errors import ErrorKind, FareboxError
from tests.support.harness import Harness


@contextmanager
def refused(
    kind: ErrorKind, harness: Harness | None = None, *, field: str | None = None
) -> Iterator[None]:
    """The block is refused with this kind, names the field, and leaves the database as it was."""
    before = dump(harness) if harness else None
    with pytest.raises(FareboxError) as caught:
        yield
    assert caught.value.kind is kind, caught.value.message
    if field is not None:
        assert caught.value.params["field"] == field
    if harness:
        assert dump(harness) == before


def dump(harness: Harness) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables, but for who has the database open."""
    names = harness.select("select name from sqlite_schema where type = 'table' order by name")
    return {name: harness.select(f"select * from {name}") for (name,) in names if name != "nodes"}

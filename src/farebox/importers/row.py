"""A row: the fields of one log line by name, and how the text of one is found among them.

A row is what a decoded JSON line is: names to texts, integers, objects and lists; numbers with a
fraction stay the text that they were. `-` and the empty text are a web server's ways to say that
there is nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

Row = dict[str, object]
Path = tuple[str, ...]
Find = Callable[[Row], str | None]

PlaceKind = Literal["value", "field", "header", "response_header"]
# Stands for what is neither text nor number. No check of a value lets it pass.
OPAQUE = "\0"


class Place(NamedTuple):
    """Where a value stands: it is `name` itself (`value`), or in the field or header `name`."""

    kind: PlaceKind
    name: str


def field_paths(name: str) -> tuple[Path, ...]:
    """A field may have dots in its name, or stand inside of others: `request.headers`."""
    return ((name,), tuple(name.split("."))) if "." in name else ((name,),)


def finder(paths: tuple[Path, ...]) -> Find:
    """Finds the text of the first of the paths that has one; None when none has.

    A number's text is its digits. Of a list it is the first item (a header's values are a list).
    """
    finds = tuple(_find_one(path) for path in paths)
    if len(finds) == 1:
        return finds[0]

    def find_first(row: Row) -> str | None:
        for find in finds:
            text = find(row)
            if text is not None:
                return text
        return None

    return find_first


def _find_one(path: Path) -> Find:
    *parents, name = path

    def find_flat(row: Row) -> str | None:
        value = row.get(name)
        if type(value) is list:
            value = value[0] if value else None
        if type(value) is str:
            return None if not value or value == "-" else value
        if type(value) is int:
            return str(value)
        return None if value is None else OPAQUE

    def find_deep(row: Row) -> str | None:
        value: object = row
        for parent in parents:
            if type(value) is not dict:
                return None
            value = value.get(parent)
        return find_flat(value) if type(value) is dict else None

    return find_deep if parents else find_flat

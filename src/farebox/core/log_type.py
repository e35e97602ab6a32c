"""Log types: priced endpoints, their prices through time, and the path templates that find them.

A template is matched segment by segment: `{x}` is any one segment, a trailing `*` any rest, also
an empty one. From left to right a literal beats `{x}`, and `{x}` beats the rest, so the longer
wins; of equal templates one with a method beats one for any. A tie is refused at its creation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

SLUG = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}", re.ASCII)
SLUG_EXPECTED = "1 to 64 of a-z, 0-9, '_', '-' and '.', beginning with a letter or digit"
TEMPLATE_EXPECTED = "a path that begins with '/', whose segments are literals, {names} or a last *"
SEGMENTS_MAX = 32
PATH_LENGTH_MAX = 512
ANY = "*"
FOUND_MAX = 4_096
_UNSOUGHT = -1
_ONE = "{}"
_PLACEHOLDER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}", re.ASCII)


class Price(NamedTuple):
    """What a call costs, and what admission holds for it, from an instant on."""

    valid_from_ms: int
    credits_micro: int
    hold_micro: int


class LogType(NamedTuple):
    """A priced endpoint. `method` and `path` are null when it is named by its slug only."""

    log_type_id: int
    slug: str
    name: str
    method: str | None
    path: str | None
    prices: tuple[Price, ...]


def price_at(prices: Iterable[Price], time_ms: int) -> Price | None:
    """The price valid at an instant: the one with the latest start that isn't after it.

    A request from before the first price has the first: a log type is never free by accident.
    """
    ordered = sorted(prices)
    valid = [price for price in ordered if price.valid_from_ms <= time_ms]
    return valid[-1] if valid else (ordered[0] if ordered else None)


def check_template(path: str) -> str:
    """The path template in its one form: no query, no empty or trailing segment.

    Raises:
        ValueError: not a template.
    """
    segments = split_path(path)
    bad = not path.startswith("/") or len(path) > PATH_LENGTH_MAX
    bad |= len(segments) > SEGMENTS_MAX
    for index, segment in enumerate(segments):
        if segment == ANY:
            bad |= index != len(segments) - 1
        elif "*" in segment or ("{" in segment or "}" in segment) != bool(
            _PLACEHOLDER.fullmatch(segment)
        ):
            bad = True
    if bad:
        raise ValueError(TEMPLATE_EXPECTED)
    return "/" + "/".join(segments)


def split_path(path: str) -> list[str]:
    """The segments of a path, without its query and fragment; empty segments don't count."""
    bare = path.partition("?")[0].partition("#")[0]
    return [segment for segment in bare.split("/") if segment]


def template_shape(path: str) -> tuple[str, ...]:
    """What two tied templates have in common: the same literals in the same places."""
    return tuple(_ONE if segment.startswith("{") else segment for segment in split_path(path))


class PathTable:
    """Finds the log type of a method and path: a trie, one dictionary look-up a segment."""

    def __init__(self, log_types: Iterable[LogType]) -> None:
        self._root = _Node()
        self._found: dict[tuple[str, str], int | None] = {}
        for log_type in log_types:
            if log_type.path is not None:
                self._add(log_type.method or ANY, log_type.path, log_type.log_type_id)

    def _add(self, method: str, path: str, log_type_id: int) -> None:
        node = self._root
        for segment in template_shape(path):
            if segment == ANY:
                node.rest[method.upper()] = log_type_id
                return
            if segment == _ONE:
                node.one = node.one or _Node()
                node = node.one
            else:
                node = node.literals.setdefault(segment, _Node())
        node.here[method.upper()] = log_type_id

    def find(self, method: str, path: str) -> int | None:
        """The log type id, or None when nothing matches. What was found last is remembered."""
        found = self._found.get((method, path), _UNSOUGHT)
        if found == _UNSOUGHT:
            if len(self._found) >= FOUND_MAX:
                self._found.clear()
            found = self._root.find(method.upper(), split_path(path), 0)
            self._found[method, path] = found
        return found


class _Node:
    """A place in the trie: the log types that end here or take any rest, and what may follow."""

    __slots__ = ("here", "literals", "one", "rest")

    def __init__(self) -> None:
        self.here: dict[str, int] = {}
        self.rest: dict[str, int] = {}
        self.literals: dict[str, _Node] = {}
        self.one: _Node | None = None

    def find(self, method: str, segments: list[str], index: int) -> int | None:
        """Depth first, the more exact step first; each node is visited once at most."""
        found: int | None = None
        if index == len(segments):
            found = _of_method(self.here, method)
        else:
            for child in (self.literals.get(segments[index]), self.one):
                if child is not None and found is None:
                    found = child.find(method, segments, index + 1)
        return _of_method(self.rest, method) if found is None else found


def _of_method(log_type_ids: dict[str, int], method: str) -> int | None:
    return log_type_ids.get(method, log_type_ids.get(ANY))

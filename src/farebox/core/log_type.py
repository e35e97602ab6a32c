"""Log types: priced endpoints, their prices through time, and the path templates that find them.

A template is matched segment by segment: `{x}` is any one segment, a trailing `*` any rest. A
literal beats a template, the longer template wins, and a tie is refused when it is created.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

SLUG = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}", re.ASCII)
SLUG_EXPECTED = "1 to 64 of a-z, 0-9, '_', '-' and '.', beginning with a letter or digit"
TEMPLATE_EXPECTED = "a path that begins with '/', whose segments are literals, {names} or a last *"
SEGMENTS_MAX = 32
ANY = "*"
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
    bad = not path.startswith("/") or len(path) > 512 or len(segments) > SEGMENTS_MAX  # noqa: PLR2004
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
    return tuple("{}" if segment.startswith("{") else segment for segment in split_path(path))


class PathTable:
    """Finds the log type of a method and path: a trie, one dictionary look-up a segment."""

    def __init__(self, log_types: Iterable[LogType]) -> None:
        self._roots: dict[str, dict[str, object]] = {}
        for log_type in log_types:
            if log_type.path is not None:
                self._add(log_type.method or ANY, log_type.path, log_type.log_type_id)

    def _add(self, method: str, path: str, log_type_id: int) -> None:
        node = self._roots.setdefault(method.upper(), {})
        for segment in template_shape(path):
            child = node.setdefault("*rest" if segment == ANY else "/" + segment, {})
            assert isinstance(child, dict)
            node = child
        node["id"] = log_type_id

    def find(self, method: str, path: str) -> int | None:
        """The log type id, or None when nothing matches."""
        segments = split_path(path)
        for root in (self._roots.get(method.upper()), self._roots.get(ANY)):
            if root is not None:
                found = _descend(root, segments, 0)
                if found is not None:
                    return found
        return None


def _descend(node: dict[str, object], segments: list[str], index: int) -> int | None:
    """Depth first, literals before placeholders before a rest: so the more exact one wins."""
    if index == len(segments):
        found = node.get("id")
        if found is None:
            rest = node.get("*rest")
            found = rest.get("id") if isinstance(rest, dict) else None
        return found if isinstance(found, int) else None
    if index < SEGMENTS_MAX:
        for step in ("/" + segments[index], "/{}"):
            child = node.get(step)
            if isinstance(child, dict):
                found = _descend(child, segments, index + 1)
                if found is not None:
                    return found
    rest = node.get("*rest")
    found = rest.get("id") if isinstance(rest, dict) else None
    return found if isinstance(found, int) else None

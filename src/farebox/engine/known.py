"""What a query for some of many takes: a JSON list of ids."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


def json_ids(ids: Iterable[int | str | tuple[int, str]]) -> str:
    """A JSON list, ascending, so that the same ids make the same text."""
    return msgspec.json.encode(sorted(ids)).decode()

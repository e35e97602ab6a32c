"""What a query for some of many takes: a JSON list."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


def json_ids(ids: Iterable[int | str | tuple[int, str]]) -> str:
    """A JSON list, ascending, so that the same ids make the same text."""
    return msgspec.json.encode(sorted(ids)).decode()


def json_identities(places: Iterable[tuple[int, bytes]]) -> str:
    """A JSON list of workspaces and identities of requests."""
    return msgspec.json.encode([(at, identity.hex()) for at, identity in places]).decode()

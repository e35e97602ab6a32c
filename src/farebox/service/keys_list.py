"""The list of a workspace's keys, as its users see them: never a secret, not even a digest."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from farebox.core.workspace import ApiKey
from farebox.engine.directory import Directory
from farebox.service.reading import rows_of
from farebox.store.contract import Reader


class ListedKey(NamedTuple):
    """A key, and when it was used last; None when it never was."""

    key: ApiKey
    last_used_ms: int | None


class _LastUsed(NamedTuple):
    key_id: str
    last_ms: int


_last_used_rows = msgspec.json.Decoder(list[_LastUsed])


def list_keys(reader: Reader, directory: Directory, profile_id: int) -> list[ListedKey]:
    """All keys of a workspace, the newest first, revoked ones included."""
    text = reader.value("keys_last_used", profile_id=profile_id)
    last_used = {row.key_id: row.last_ms for row in rows_of(text, _last_used_rows)}
    return [
        ListedKey(key, last_used.get(key.key_id)) for key in reversed(directory.keys_of(profile_id))
    ]

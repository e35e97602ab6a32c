"""A key as the store keeps it, and the core's key that it is."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from farebox.core.ip_range import parse_ranges
from farebox.core.workspace import ApiKey

_log_type_ids = msgspec.json.Decoder(frozenset[int])
_ip_ranges = msgspec.json.Decoder(list[str])


class KeyRow(NamedTuple):
    """A row of the table `keys`, and the log types that it may call; lists are JSON."""

    key_id: str
    profile_id: int
    user_id: str
    name: str
    digest: bytes
    masked_authentication: str
    channel: Literal["api", "portal"]
    created_at_ms: int
    expires_at_ms: int | None
    revoked_at_ms: int | None
    rotated_from: str | None
    family_id: str
    ip_ranges: str | None
    credits_cap_micro: int | None
    log_type_ids: str | None


def key_of(row: KeyRow) -> ApiKey:
    """The key of a row."""
    ids, ranges = row.log_type_ids, row.ip_ranges
    return ApiKey(
        *row[:12],
        log_type_ids=None if ids is None else _log_type_ids.decode(ids),
        ip_ranges=None if ranges is None else parse_ranges(_ip_ranges.decode(ranges)),
        credits_cap_micro=row.credits_cap_micro,
    )

"""Instants: UTC milliseconds since 1970, as integers, and their text forms at the edge.

Refuses stamps without an offset: an instant is never guessed from local time.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo

MS_PER_SECOND = 1_000
MS_PER_MINUTE = 60 * MS_PER_SECOND
MS_PER_HOUR = 60 * MS_PER_MINUTE
MS_PER_DAY = 24 * MS_PER_HOUR

RFC3339_EXPECTED = "an RFC 3339 time with an offset, such as 2026-05-01T12:00:00Z"
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
_RFC3339 = re.compile(
    rf"\d{{4}}-\d\d-\d\d[Tt ]{_CLOCK}:[0-5]\d(\.\d+)?([Zz]|[+-]{_CLOCK})", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_rfc3339(text: str) -> int:
    """Milliseconds of an RFC 3339 stamp; digits past the millisecond are dropped.

    Raises:
        ValueError: not an RFC 3339 stamp with an offset, or no day of the calendar; a leap second
            is refused too, since no instant of ours stands for it.
    """
    if not _RFC3339.fullmatch(text):
        raise ValueError(RFC3339_EXPECTED)
    try:
        parsed = datetime.fromisoformat(text.upper())
    except ValueError as error:
        raise ValueError(RFC3339_EXPECTED) from error
    delta = parsed - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000 + delta.microseconds // 1_000


def to_iso_ms(ms: int) -> str:
    """`2024-11-13T10:01:13.051Z` (seed: profile_usage)."""
    return f"{_utc(ms):%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def to_iso_seconds(ms: int) -> str:
    """`2024-01-31T23:59:59Z`, without a fraction (seed: quotas)."""
    return f"{_utc(ms):%Y-%m-%dT%H:%M:%SZ}"


def to_local_stamp(ms: int, zone: tzinfo) -> str:
    """`2026-05-05 11:09:42.508` in `zone` (seed: usage_breakdown)."""
    local = datetime.fromtimestamp(ms // 1000, zone)
    return f"{local:%Y-%m-%d %H:%M:%S}.{ms % 1000:03d}"


def _utc(ms: int) -> datetime:
    return datetime.fromtimestamp(ms // 1000, UTC)

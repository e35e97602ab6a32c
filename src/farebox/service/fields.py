"""Fields: what a field of the admin API may hold, checked once for every face.

Each function takes the field's name and its value and gives the value as it is kept. A refusal is
422 naming the field and what would be right. Credits become micro-credits, stamps milliseconds.
The bounds of integers stand in the forms, and hold wherever one is decoded.
"""

from __future__ import annotations

import re
from decimal import Decimal

from msgspec import UNSET, Struct

from farebox.core.calendar import zone_of
from farebox.core.credits import CREDITS_MICRO_MAX, EXPECTED, EXPECTED_SIGNED, to_micro
from farebox.core.errors import UNPROCESSABLE, FareboxError
from farebox.core.instant import MS_PER_SECOND, parse_rfc3339
from farebox.core.key import holds_secret
from farebox.core.log_type import SLUG, SLUG_EXPECTED
from farebox.core.phrase import Phrase

STAMP_LENGTH_MAX = 64
FORGIVEN_MS = 10 * MS_PER_SECOND
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
EMAIL_LENGTH_MAX = 254


def refuse(*, field: str, expected: str) -> FareboxError:
    """422: the field must be what is expected."""
    return FareboxError(UNPROCESSABLE, field=field, expected=expected)


def text(field: str, value: str, length_max: int, *, length_min: int = 1) -> str:
    """Printable text without blanks around it."""
    stripped = value.strip()
    if not length_min <= len(stripped) <= length_max or not stripped.isprintable():
        raise refuse(
            field=field,
            expected=Phrase(
                "{least} to {most} printable characters", least=length_min, most=length_max
            ),
        )
    return without_secret(field, stripped)


def without_secret(field: str, value: str) -> str:
    """A text that isn't taken for one of ours: what was pasted into the wrong field isn't kept."""
    if holds_secret(value):
        raise refuse(field=field, expected=Phrase("a text without a key, token or link in it"))
    return value


def slug(field: str, value: str) -> str:
    """A slug."""
    if not SLUG.fullmatch(value):
        raise refuse(field=field, expected=SLUG_EXPECTED)
    return value


def credits(field: str, value: Decimal) -> int:
    """Micro-credits of an amount that may be 0."""
    try:
        micro = to_micro(value)
    except ValueError as error:
        raise refuse(field=field, expected=EXPECTED) from error
    if micro < 0:
        raise refuse(field=field, expected=EXPECTED)
    return micro


def credits_above_0(field: str, value: Decimal) -> int:
    """Micro-credits of an amount above 0."""
    micro = credits(field, value)
    if micro == 0:
        raise refuse(
            field=field,
            expected=Phrase("a number of credits above 0 with at most 6 decimal places"),
        )
    return micro


def credits_signed(field: str, value: Decimal) -> int:
    """Micro-credits of an amount above or below 0."""
    try:
        micro = to_micro(value)
    except ValueError as error:
        raise refuse(field=field, expected=EXPECTED_SIGNED) from error
    if micro == 0:
        raise refuse(field=field, expected=EXPECTED_SIGNED)
    assert abs(micro) <= CREDITS_MICRO_MAX
    return micro


def instant(field: str, value: str) -> int:
    """Milliseconds of an RFC 3339 stamp."""
    try:
        return parse_rfc3339(value[:STAMP_LENGTH_MAX])
    except ValueError as error:
        raise refuse(field=field, expected=str(error)) from error


def instant_after(field: str, value: str, now_ms: int) -> int:
    """Milliseconds of an RFC 3339 stamp that lies in the future."""
    at_ms = instant(field, value)
    if at_ms <= now_ms:
        raise refuse(field=field, expected=Phrase("a time in the future"))
    return at_ms


def timezone(field: str, value: str) -> str:
    """The name of an IANA timezone."""
    try:
        zone_of(value)
    except ValueError as error:
        raise refuse(field=field, expected=str(error)) from error
    return value


def email(field: str, value: str) -> str:
    """An email address: something, an `@`, something."""
    stripped = value.strip()
    if (
        len(stripped) > EMAIL_LENGTH_MAX
        or not stripped.isprintable()
        or not _EMAIL.fullmatch(stripped)
    ):
        raise refuse(
            field=field,
            expected=Phrase("an email address of at most {most} characters", most=EMAIL_LENGTH_MAX),
        )
    return without_secret(field, stripped)


def instant_from(field: str, value: str, now_ms: int) -> int:
    """Milliseconds of an RFC 3339 stamp that isn't past; a few seconds are forgiven, as now."""
    at_ms = instant(field, value)
    if at_ms < now_ms - FORGIVEN_MS:
        raise refuse(field=field, expected=Phrase("a time that is not in the past"))
    return max(at_ms, now_ms)


def sent(change: Struct) -> dict[str, object]:
    """What was sent of a change, for the record of who changed what."""
    values = {name: getattr(change, name) for name in change.__struct_fields__}
    return {name: value for name, value in values.items() if value is not UNSET}

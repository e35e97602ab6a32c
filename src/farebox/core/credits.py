"""Credits: exact decimals with up to 6 places, kept as integer micro-credits.

Owns the only way between the two forms. No float ever touches a credit: JSON numbers are decoded
to `Decimal` from their text, and leave as an `int` or a `Decimal` without trailing zeros.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

MICRO_PER_CREDIT = 1_000_000
# An amount beyond this is a mistake of its sender. Sums are 64 bits: 9.2 million times a million
# credits. A request that would take a sum beyond that is refused by the store, like any bad row.
CREDITS_MICRO_MAX = 10**9 * MICRO_PER_CREDIT
_CREDITS_MAX = CREDITS_MICRO_MAX // MICRO_PER_CREDIT
_ONE_MICRO = Decimal("0.000001")
EXPECTED = "a number of credits from 0 to 1000000000 with at most 6 decimal places"
EXPECTED_SIGNED = (
    "a number of credits from -1000000000 to 1000000000, not 0, with at most 6 decimal places"
)


def to_micro(credits: Decimal | int | str) -> int:
    """Micro-credits of an exact number of credits; the sign is kept.

    Raises:
        ValueError: not a finite number, more than 6 decimal places, or out of bounds.
    """
    try:
        exact = Decimal(credits)
    except InvalidOperation as error:
        raise ValueError(EXPECTED) from error
    if not exact.is_finite() or exact.adjusted() > 9:  # noqa: PLR2004 - 10**9 has 10 digits
        raise ValueError(EXPECTED)
    rounded = exact.quantize(_ONE_MICRO)
    # Comparing is exact where arithmetic rounds: a 40th decimal place is seen, too.
    if rounded != exact or abs(exact) > _CREDITS_MAX:
        raise ValueError(EXPECTED)
    return int(rounded.scaleb(6))


def to_number(micro: int) -> int | Decimal:
    """The JSON number of micro-credits: an int when whole, else a Decimal in its shortest form."""
    whole, rest = divmod(micro, MICRO_PER_CREDIT)
    if rest == 0:
        return whole
    return Decimal(micro).scaleb(-6).normalize()


def ceil_whole(micro: int) -> int:
    """Whole credits, rounded up."""
    return -(-micro // MICRO_PER_CREDIT)


def to_text(micro: int) -> str:
    """Credits as plain text: `1250.5`. With 6 places at most a Decimal needs no exponent."""
    return str(to_number(micro))

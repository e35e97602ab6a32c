"""What reports are made of: totals, exact ratios, the names of log types, the echo of filters.

A report is a pure function of sums: it orders, cuts and names them. Ratios are cut to their
places by integer arithmetic, never rounded, and leave as JSON numbers. Credits leave as
micro-credits and instants as milliseconds; the edge gives them their form.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple, Protocol

from farebox.core.request import UNKNOWN_NAME, UNKNOWN_SLUG

# A JSON number: an int when whole, else a Decimal without trailing zeros.
Number = int | Decimal


class Totals(NamedTuple):
    """What a report adds up to."""

    credits_micro: int
    requests: int


class Named(Protocol):
    """What a report needs to know of a log type."""

    @property
    def slug(self) -> str:
        """The slug."""
        ...

    @property
    def name(self) -> str:
        """The name, which is not translated."""
        ...


class LogTypeName(NamedTuple):
    """The slug and name of a log type."""

    slug: str
    name: str


UNKNOWN = LogTypeName(UNKNOWN_SLUG, UNKNOWN_NAME)


def ratio(part: int, whole: int, places: int) -> Number:
    """`part / whole`, neither below 0, cut after some decimal places; 0 when there is no whole.

    Source: all percentages of the seed usage_breakdown but 95.82.
    """
    assert part >= 0
    assert whole >= 0
    if whole == 0:
        return 0
    scale = 10**places
    cut = part * scale // whole
    number, rest = divmod(cut, scale)
    return Decimal(cut).scaleb(-places).normalize() if rest else number


def percent(part: int, whole: int, places: int) -> Number:
    """The share of a part in percent, cut after some decimal places."""
    return ratio(100 * part, whole, places)


def echo_filters(sent: Mapping[str, object]) -> dict[str, object]:
    """What was sent and isn't empty: null, "", [] and {} are; false and 0 aren't (seeds: usage)."""
    return {name: value for name, value in sent.items() if not _is_empty(value)}


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str | list | tuple | dict) and not value)

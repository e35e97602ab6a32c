"""Options that several commands share, and how their texts become values."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Annotated, NamedTuple, TypeVar

import typer
from msgspec import UNSET, UnsetType

NONE = "none"
_DURATION = re.compile(r"(\d{1,9})([smhd])", re.ASCII)
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
Value = TypeVar("Value")


def amount(text: str) -> Decimal:
    """An exact number of credits."""
    try:
        return Decimal(text)
    except InvalidOperation as error:
        message = f"'{text}' is not a number of credits"
        raise typer.BadParameter(message) from error


class Price(NamedTuple):
    """A plan's own price of a log type."""

    slug: str
    credits: Decimal


def price(text: str) -> Price:
    """A price: `slug=credits`."""
    slug, equals, credits = text.partition("=")
    if not slug or not equals:
        message = f"'{text}' is not SLUG=CREDITS"
        raise typer.BadParameter(message)
    return Price(slug, amount(credits))


def limit(text: str) -> str:
    """A limit: a number, or `none`."""
    if text != NONE and not (text.isascii() and text.isdecimal()):
        message = f"'{text}' is neither a whole number nor 'none'"
        raise typer.BadParameter(message)
    return text


def amount_or_none(text: str) -> str:
    """A number of credits, or `none`."""
    if text != NONE:
        amount(text)
    return text


def duration_seconds(text: str) -> int:
    """Seconds: a whole number with s, m, h or d behind it."""
    parts = _DURATION.fullmatch(text)
    if parts is None:
        message = f"'{text}' is not a whole number of s, m, h or d, such as 15m"
        raise typer.BadParameter(message)
    return int(parts[1]) * _UNIT_SECONDS[parts[2]]


def sent(value: Value | None) -> Value | UnsetType:
    """The field of a change: what was given, else unset."""
    return UNSET if value is None else value


def limit_of(value: str | None) -> int | None:
    """A limit: None when it wasn't given, and for `none`."""
    return None if value is None or value == NONE else int(value)


def limit_sent(value: str | None) -> int | UnsetType | None:
    """A limit in a change: unset when it wasn't given, None for `none`."""
    if value is None:
        return UNSET
    return None if value == NONE else int(value)


def amount_of(value: str | None) -> Decimal | None:
    """An amount of credits: None when it wasn't given, and for `none`."""
    return None if value is None or value == NONE else amount(value)


def amount_sent(value: str | None) -> Decimal | UnsetType | None:
    """An amount of credits in a change: unset when it wasn't given, None for `none`."""
    return UNSET if value is None else amount_of(value)


def text_sent(value: str | None) -> str | UnsetType | None:
    """A text in a change: unset when it wasn't given, None for `none`."""
    if value is None:
        return UNSET
    return None if value == NONE else value


ProfileId = Annotated[int, typer.Argument(help="Id of the workspace.", min=1, max=10**18)]
ExpiresAt = Annotated[
    str | None, typer.Option(help="When it expires, such as 2026-12-31T00:00:00Z.", metavar="TIME")
]
LIMIT = "N|none"
AMOUNT = "CREDITS|none"

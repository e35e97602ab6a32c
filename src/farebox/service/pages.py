"""Pages: lists that are read on from an opaque cursor, which stands for the last row's key.

A page holds at most `LIMIT_MAX` rows, and each row once however the list grows meanwhile: rows lie
in the order of their making, and new ones come at the end.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

import msgspec

from farebox.core.errors import INVALID_FIELD, FareboxError
from farebox.core.phrase import Phrase
from farebox.store.contract import Row

LIMIT_DEFAULT = 25
LIMIT_MAX = 100
CURSOR_LENGTH_MAX = 500
KEY_END = 2**63
Data = TypeVar("Data")
Key = tuple[int, str]
FIRST: Key = (0, "")


class Page(NamedTuple, Generic[Data]):
    """Some rows of a list; `next_cursor` is None on the last page."""

    data: list[Data]
    next_cursor: str | None


class Turn(NamedTuple):
    """Where a page begins and how many rows it has."""

    after: Key = FIRST
    limit: int = LIMIT_DEFAULT

    @property
    def rows(self) -> int:
        """How many rows to read: one more tells whether there is another page."""
        return self.limit + 1


def turn(cursor: str | None, limit: int | None) -> Turn:
    """The page that a caller asks for.

    Raises:
        FareboxError: 400, not a cursor of ours, or a limit out of bounds.
    """
    limit = LIMIT_DEFAULT if limit is None else limit
    if not 1 <= limit <= LIMIT_MAX:
        expected = Phrase("an integer from {least} to {most}", least=1, most=LIMIT_MAX)
        raise FareboxError(INVALID_FIELD, field="limit", expected=expected)
    return Turn(FIRST if not cursor else _key(cursor), limit)


def page(rows: Sequence[Row], at: Turn, key: Callable[[Row], Key]) -> Page[Row]:
    """The page of rows that were read with `at.rows`."""
    if len(rows) <= at.limit:
        return Page(list(rows), None)
    kept = list(rows[: at.limit])
    return Page(kept, _cursor(key(kept[-1])))


def _cursor(key: Key) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(key)).decode().rstrip("=")


def _key(cursor: str) -> Key:
    try:
        padded = cursor[:CURSOR_LENGTH_MAX].encode("ascii") + b"=" * (-len(cursor) % 4)
        key: Key = msgspec.msgpack.decode(base64.urlsafe_b64decode(padded), type=Key)
        if not 0 <= key[0] < KEY_END:
            raise ValueError(key[0])  # noqa: TRY301 - no cursor of ours, like the others below
    except (ValueError, msgspec.MsgspecError) as error:
        raise no_cursor() from error
    return key


def no_cursor() -> FareboxError:
    """What a cursor is refused with that is none of ours."""
    expected = Phrase("the 'next_cursor' of an earlier answer")
    return FareboxError(INVALID_FIELD, field="cursor", expected=expected)

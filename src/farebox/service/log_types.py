"""Log types: make, change and read them.

A price begins at an instant that is not past, so that no request is priced in two ways. A template
that ties with another's is refused, so that a call never has two log types.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from msgspec import UNSET

from farebox.core.credits import to_number
from farebox.core.errors import ALREADY_EXISTS, NOT_FOUND, PATH_TIE, FareboxError
from farebox.core.instant import to_iso_ms
from farebox.core.log_type import Price, check_template, price_at, template_shape
from farebox.core.phrase import Phrase
from farebox.engine.transaction import Command, Transaction
from farebox.service import fields
from farebox.service.forms.log_type import (
    LogTypeChange,
    LogTypeCreate,
    LogTypeData,
    ScheduledPrice,
)
from farebox.service.pages import Page, Turn, page
from farebox.store.contract import Reader

NAME_LENGTH_MAX = 200
_METHOD = re.compile(r"[A-Z][A-Z-]{0,31}", re.ASCII)


class _LogTypeRow(NamedTuple):
    log_type_id: int
    slug: str
    name: str
    method: str | None
    path: str | None
    created_at_ms: int


class _PathRow(NamedTuple):
    log_type_id: int
    slug: str
    method: str | None
    path: str


def create_log_type(tx: Transaction, made: LogTypeCreate) -> LogTypeData:
    """Make a log type. Its first price counts for earlier requests too."""
    slug = fields.slug("slug", made.slug)
    if tx.db.integer("log_type_id_of_slug", slug=slug):
        raise FareboxError(ALREADY_EXISTS, what=Phrase("log type"), field="slug")
    log_type = _LogTypeRow(
        tx.db.integer("log_type_last") + 1,
        slug,
        fields.text("name", made.name, NAME_LENGTH_MAX),
        made.method,
        made.path,
        tx.now_ms,
    )
    log_type = _checked_path(tx, log_type)
    credits_micro = fields.credits("credits", made.credits)
    hold_micro = credits_micro
    if made.hold_credits is not None:
        hold_micro = fields.credits("hold_credits", made.hold_credits)
    tx.db.execute("log_type_insert", **log_type._asdict())
    _put_price(tx, log_type.log_type_id, Price(tx.now_ms, credits_micro, hold_micro))
    tx.change("create", "log_type", slug)
    return _data(tx.db, log_type, tx.now_ms)


def change_log_type(tx: Transaction, change: LogTypeChange) -> LogTypeData:
    """Change a log type, or its price from an instant on."""
    log_type = _row(tx.db, change.slug)
    if change.name is not UNSET:
        name = fields.text("name", change.name, NAME_LENGTH_MAX)
        log_type = log_type._replace(name=name)
    if change.method is not UNSET:
        log_type = log_type._replace(method=change.method)
    if change.path is not UNSET:
        log_type = log_type._replace(path=change.path)
    log_type = _checked_path(tx, log_type)
    tx.db.execute(
        "log_type_update",
        log_type_id=log_type.log_type_id,
        name=log_type.name,
        method=log_type.method,
        path=log_type.path,
    )
    _change_price(tx, log_type.log_type_id, change)
    tx.change("change", "log_type", log_type.slug, detail=fields.sent(change))
    return _data(tx.db, log_type, tx.now_ms)


def read_log_type(reader: Reader, slug: str, now_ms: int) -> LogTypeData:
    """The log type with a slug."""
    return _data(reader, _row(reader, slug), now_ms)


def list_log_types(reader: Reader, at: Turn, now_ms: int) -> Page[LogTypeData]:
    """A page of log types, the oldest first."""
    rows = reader.rows("log_types_page", _LogTypeRow, after=at.after[0], count=at.rows)
    found = page(rows, at, lambda row: (row.log_type_id, ""))
    return Page([_data(reader, row, now_ms) for row in found.data], found.next_cursor)


def _row(reader: Reader, slug: str) -> _LogTypeRow:
    log_type = reader.one("log_type_of_slug", _LogTypeRow, slug=slug)
    if log_type is None:
        raise FareboxError(NOT_FOUND, what=Phrase("log type"))
    return log_type


def _checked_path(tx: Transaction, log_type: _LogTypeRow) -> _LogTypeRow:
    """The log type with its method and path in their one form, tied with no other."""
    if log_type.path is None:
        if log_type.method is not None:
            raise fields.refuse(field="path", expected=Phrase("given together with a method"))
        return log_type
    try:
        path = check_template(log_type.path)
    except ValueError as error:
        raise fields.refuse(field="path", expected=str(error)) from error
    if not path.isprintable():
        raise fields.refuse(field="path", expected=Phrase("printable characters"))
    method = None if log_type.method is None else log_type.method.upper()
    if method is not None and not _METHOD.fullmatch(method):
        raise fields.refuse(field="method", expected=Phrase("the name of an HTTP method"))
    for other in tx.db.rows("log_type_paths", _PathRow):
        is_same = other.method == method and template_shape(other.path) == template_shape(path)
        if is_same and other.log_type_id != log_type.log_type_id:
            raise FareboxError(PATH_TIE, slug=other.slug)
    return log_type._replace(method=method, path=path)


def _change_price(tx: Transaction, log_type_id: int, change: LogTypeChange) -> None:
    if change.credits is UNSET and change.hold_credits is UNSET:
        if change.valid_from is not UNSET:
            raise fields.refuse(
                field="valid_from", expected=Phrase("given together with a new price")
            )
        return
    valid_from_ms = tx.now_ms
    if change.valid_from is not UNSET:
        valid_from_ms = fields.instant_from("valid_from", change.valid_from, tx.now_ms)
    before = price_at(_prices(tx.db, log_type_id), valid_from_ms)
    assert before is not None  # a log type is made with a price
    credits_micro, hold_micro = before.credits_micro, before.hold_micro
    if change.credits is not UNSET:
        credits_micro = fields.credits("credits", change.credits)
        if before.hold_micro == before.credits_micro:
            hold_micro = credits_micro
    if change.hold_credits is not UNSET:
        hold_micro = fields.credits("hold_credits", change.hold_credits)
    _put_price(tx, log_type_id, Price(valid_from_ms, credits_micro, hold_micro))


def _put_price(tx: Transaction, log_type_id: int, price: Price) -> None:
    if price.hold_micro < price.credits_micro:
        raise fields.refuse(field="hold_credits", expected=Phrase("at least the credits"))
    tx.db.execute("log_type_price_put", log_type_id=log_type_id, **price._asdict())


def _prices(reader: Reader, log_type_id: int) -> list[Price]:
    return reader.rows("log_type_prices_of", Price, log_type_id=log_type_id)


def _data(reader: Reader, log_type: _LogTypeRow, now_ms: int) -> LogTypeData:
    prices = _prices(reader, log_type.log_type_id)
    price = price_at(prices, now_ms)
    assert price is not None  # a log type is made with a price
    return LogTypeData(
        log_type_id=log_type.log_type_id,
        slug=log_type.slug,
        name=log_type.name,
        credits=to_number(price.credits_micro),
        hold_credits=to_number(price.hold_micro),
        method=log_type.method,
        path=log_type.path,
        scheduled_prices=[
            ScheduledPrice(
                to_number(p.credits_micro), to_number(p.hold_micro), to_iso_ms(p.valid_from_ms)
            )
            for p in prices
            if p.valid_from_ms > now_ms
        ],
        created_at=to_iso_ms(log_type.created_at_ms),
    )


COMMANDS = (
    Command("log_types.create", LogTypeCreate, create_log_type),
    Command("log_types.change", LogTypeChange, change_log_type),
)

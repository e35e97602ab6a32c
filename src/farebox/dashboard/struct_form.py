"""Struct forms: what a page sends becomes the form of a command, by the types of its struct.

A field is named by its path in the struct, such as `limits.api.hour`; a price by `prices.SLUG`. The
struct itself is decoded as from the body of a call, so that a page refuses what the API refuses, in
the same words. Empty is null where that is allowed; instants are typed as local times of the zone.
Of a change only what differs from what the page showed is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Literal, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from msgspec import inspect

from farebox.contract.decoding import decode
from farebox.core.credits import EXPECTED
from farebox.core.instant import MS_PER_SECOND, parse_rfc3339
from farebox.core.phrase import Phrase
from farebox.dashboard.form import Form
from farebox.dashboard.visit import Visit
from farebox.service import fields

Kind = Literal["text", "whole", "credits", "moment", "check"]
Struct = TypeVar("Struct", bound=msgspec.Struct)
# What stands in the fields of a form, by their names.
Typed = dict[str, str | bool]

PRICES = "prices"
_TO_THE_MINUTE = "%Y-%m-%dT%H:%M"


class FieldType(NamedTuple):
    """What a field holds, and whether it may be null."""

    kind: Kind
    is_nullable: bool


def read_struct(visit: Visit, type_: type[Struct], names: Iterable[str], **more: object) -> Struct:
    """A struct from some fields of the form, and what doesn't stand in it.

    Raises:
        FareboxError: 400 or 422, with the field that is wrong.
    """
    types, form = _types_of(type_), visit.form
    values: dict[str, object] = {}
    for name in names:
        if name == PRICES:
            values[PRICES] = _prices(form)
        elif types[name].kind == "check" or form.text(name) or types[name].is_nullable:
            _put(values, name, _value(form, name, types[name], visit.zone))
        elif types[name].kind == "text":
            _put(values, name, "")
    return decode(msgspec.json.encode(values | more), type_)


def read_change(
    visit: Visit, type_: type[Struct], names: Iterable[str], shown: Typed, **more: object
) -> Struct:
    """The same of those fields that differ from what was shown.

    A field that was not sent stays as it is; only a check box is off then.

    Raises:
        FareboxError: 400 or 422, with the field that is wrong.
    """
    form = visit.form
    changed = [n for n in names if n != PRICES and _differs(form, n, shown)]
    prices = {
        slug: text
        for slug, text in _prices(form).items()
        if PRICES in names and text != shown.get(f"{PRICES}.{slug}")
    }
    return read_struct(visit, type_, changed, **more, **({PRICES: prices} if prices else {}))


def typed_of(values: Mapping[str, object] | msgspec.Struct, zone: ZoneInfo) -> Typed:
    """What stands in a form for values as they are; lists are none."""
    plain = values
    if isinstance(values, msgspec.Struct):
        plain = msgspec.to_builtins(values, builtin_types=(Decimal,))
    assert isinstance(plain, Mapping)
    found: Typed = {}
    for name, value in plain.items():
        if isinstance(value, Mapping):
            found |= {f"{name}.{inner}": text for inner, text in typed_of(value, zone).items()}
        elif isinstance(value, bool):
            found[name] = value
        elif isinstance(value, int | Decimal):
            found[name] = f"{value:f}" if isinstance(value, Decimal) else str(value)
        elif isinstance(value, str):
            found[name] = local(parse_rfc3339(value), zone) if name.endswith("_at") else value
        elif value is None:
            found[name] = ""
    return found


def local(ms: int, zone: ZoneInfo) -> str:
    """An instant as it is typed."""
    return datetime.fromtimestamp(ms // MS_PER_SECOND, zone).strftime(_TO_THE_MINUTE)


def _differs(form: Form, name: str, shown: Typed) -> bool:
    before = shown.get(name, "")
    if isinstance(before, bool):
        return (name in form) != before
    return name in form and form.text(name) != before


def _prices(form: Form) -> dict[str, str]:
    """The prices that were typed, by slug."""
    prefix = f"{PRICES}."
    names = [name for name in form.names() if name.startswith(prefix) and form.text(name)]
    for name in names:
        # The decoder doesn't say which of them is none.
        try:
            Decimal(form.text(name))
        except InvalidOperation as error:
            raise fields.refuse(field=name, expected=EXPECTED) from error
    return {name.removeprefix(prefix): form.text(name) for name in names}


def _value(form: Form, name: str, type_: FieldType, zone: ZoneInfo) -> object:
    text = form.text(name)
    if type_.kind == "check":
        return name in form
    if not text:
        return None
    if type_.kind == "whole" and text.isascii() and text.removeprefix("-").isdecimal():
        return int(text[:20])
    if type_.kind == "moment":
        return _instant(name, text, zone)
    return text


def _instant(name: str, text: str, zone: ZoneInfo) -> str:
    """The stamp of a local date and time.

    Raises:
        FareboxError: 422, it is none.
    """
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone).isoformat()
    except ValueError as error:
        expected = Phrase("a date and time such as 2026-12-31T18:00")
        raise fields.refuse(field=name, expected=expected) from error


def _put(values: dict[str, object], name: str, value: object) -> None:
    *outer, last = name.split(".")
    for part in outer:
        inner = values.setdefault(part, {})
        assert isinstance(inner, dict)
        values = inner
    values[last] = value


@lru_cache(maxsize=64)
def _types_of(type_: type[msgspec.Struct]) -> dict[str, FieldType]:
    info = inspect.type_info(type_)
    assert isinstance(info, inspect.StructType)
    return dict(_fields(info, ""))


def _fields(info: inspect.StructType, prefix: str) -> Iterable[tuple[str, FieldType]]:
    for one in info.fields:
        inner, is_nullable = _bare(one.type)
        name = prefix + one.name
        if isinstance(inner, inspect.StructType):
            yield from _fields(inner, f"{name}.")
        else:
            yield name, FieldType(_kind(inner), is_nullable)


def _bare(info: inspect.Type) -> tuple[inspect.Type, bool]:
    """A type without what is said of it, and whether it may be null instead."""
    is_nullable = False
    while isinstance(info, inspect.UnionType | inspect.Metadata):
        if isinstance(info, inspect.Metadata):
            if (info.extra_json_schema or {}).get("format") == "date-time":
                return info, is_nullable
            info = info.type
            continue
        is_nullable = is_nullable or any(isinstance(t, inspect.NoneType) for t in info.types)
        (info,) = (t for t in info.types if not isinstance(t, inspect.NoneType))
    return info, is_nullable


def _kind(info: inspect.Type) -> Kind:
    match info:
        case inspect.BoolType():
            return "check"
        case inspect.IntType():
            return "whole"
        case inspect.DecimalType():
            return "credits"
        case inspect.Metadata():
            return "moment"
        case _:
            return "text"

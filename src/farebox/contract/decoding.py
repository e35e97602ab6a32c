"""Decoding: a body, or a part of one, becomes its struct or an error that names the field.

msgspec finds what is wrong; this gives it our kinds, in words that translate. A field's name is
its path: `requests[0].id`.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import Any, TypeVar, cast, get_args, get_origin

import msgspec

from farebox.core.credits import EXPECTED as CREDITS_EXPECTED
from farebox.core.errors import (
    INVALID_FIELD,
    INVALID_JSON,
    INVALID_REQUEST,
    MISSING_FIELD,
    UNKNOWN_FIELD,
    FareboxError,
)
from farebox.core.key import strike_out
from farebox.core.phrase import Phrase

Decoded = TypeVar("Decoded")
NAME_LENGTH_MAX = 64

_MESSAGE = re.compile(r"(?P<what>.*?)(?: - at `(?P<path>.*)`)?", re.DOTALL)
_QUOTED = re.compile(r"`([^`]*)`")
_BOUND = re.compile(r"Expected `(int|str|array|object)` (of length )?(>=|<=) (\d+)")
_BYTE = re.compile(r"\(byte (\d+)\)")
_TYPES: dict[str, Phrase] = {
    "int": Phrase("an integer"),
    "str": Phrase("a string"),
    "bool": Phrase("true or false"),
    "array": Phrase("a list"),
    "object": Phrase("an object"),
    "decimal": Phrase(CREDITS_EXPECTED),
}


@lru_cache(maxsize=256)
def _decoder(type_: Hashable) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(type_)


def decode(body: bytes | msgspec.Raw, type_: type[Decoded]) -> Decoded:
    """The struct, or other typed value, that a JSON text holds.

    Raises:
        FareboxError: 400 or, for a field that the struct doesn't know, 422.
    """
    try:
        decoded: Decoded = _decoder(cast("Hashable", type_)).decode(body)
    except msgspec.ValidationError as error:
        raise explained(str(error), type_) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FareboxError(INVALID_JSON, reason=_json_reason(error)) from error
    return decoded


def convert(values: object, type_: type[Decoded]) -> Decoded:
    """The struct of plain values, such as those of a query string; numbers may be texts.

    Raises:
        FareboxError: as `decode`.
    """
    try:
        return msgspec.convert(values, type_, strict=False)
    except msgspec.ValidationError as error:
        raise explained(str(error), type_) from error


def explained(message: str, type_: object) -> FareboxError:
    """Our error for what msgspec said of a value of a type."""
    parts = _MESSAGE.fullmatch(message)
    assert parts is not None  # the pattern takes any text
    what = parts["what"]
    path = (parts["path"] or "$").removeprefix("$").removeprefix(".")
    quoted = _QUOTED.search(what)
    if what.startswith("Object missing required field") and quoted:
        return FareboxError(MISSING_FIELD, field=_joined(path, quoted[1]))
    if what.startswith("Object contains unknown field") and quoted:
        return FareboxError(UNKNOWN_FIELD, field=_joined(path, quoted[1]))
    expected = _expected(what, type_, path)
    if not path:
        return FareboxError(
            INVALID_REQUEST, reason=Phrase("the body must be {expected}", expected=expected)
        )
    return FareboxError(INVALID_FIELD, field=path, expected=expected)


def _joined(path: str, name: str) -> str:
    """The field's path; what a caller made up as a name comes back in part only.

    A secret in it is struck out while it is whole: a part of one would not be known for one.
    """
    shown = strike_out(name)
    cut = shown if len(shown) <= NAME_LENGTH_MAX else shown[:NAME_LENGTH_MAX] + "…"
    return f"{path}.{cut}" if path else cut


def _expected(what: str, type_: object, path: str) -> Phrase:
    bound = _BOUND.match(what)
    if bound:
        return _bounded(bound[1], bound[3] == ">=", int(bound[4]))
    if what.startswith("Invalid enum value"):
        choices = _choices(type_, path)
        return Phrase("one of {choices}", choices=", ".join(choices))
    if "decimal" in what:
        return _TYPES["decimal"]
    quoted = _QUOTED.search(what)
    names = quoted[1].split(" | ") if quoted else []
    return next((_TYPES[n] for n in names if n in _TYPES), Phrase("as the documentation says"))


def _bounded(name: str, is_minimum: bool, limit: int) -> Phrase:  # noqa: FBT001 - one caller
    match name, is_minimum:
        case "int", True:
            return Phrase("an integer of at least {limit}", limit=limit)
        case "int", False:
            return Phrase("an integer of at most {limit}", limit=limit)
        case "str", True:
            return Phrase("a string of {limit} characters or more", limit=limit)
        case "str", False:
            return Phrase("a string of {limit} characters or less", limit=limit)
        case _, True:
            return Phrase("a list of {limit} items or more", limit=limit)
        case _:
            return Phrase("a list of {limit} items or less", limit=limit)


def _choices(type_: object, path: str) -> list[str]:
    """The texts that a field may have: those of the `Literal` at the end of its path."""
    for name in re.sub(r"\[[^]]*\]", "", path).split("."):
        type_ = next(
            (
                f.type
                for s in _structs(type_)
                for f in msgspec.structs.fields(s)
                if f.encode_name == name
            ),
            type_,
        )
    return [str(choice) for choice in _literals(type_)]


def _structs(type_: object) -> list[type[msgspec.Struct]]:
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        return [type_]
    return [struct for inner in get_args(type_) for struct in _structs(inner)]


def _literals(type_: object) -> list[object]:
    if str(get_origin(type_)) == "typing.Literal":
        return list(get_args(type_))
    return [choice for inner in get_args(type_) for choice in _literals(inner)]


def _json_reason(error: Exception) -> Phrase:
    if isinstance(error, UnicodeDecodeError):
        return Phrase("it is not UTF-8")
    if isinstance(error, RecursionError):
        return Phrase("it is nested too deeply")
    byte = _BYTE.search(str(error))
    if byte:
        return Phrase("unexpected character at byte {position}", position=int(byte[1]))
    return Phrase("it ends too early")


def decode_if_right(body: bytes, type_: type[Decoded]) -> Decoded | None:
    """The value of a JSON text, or None when anything is wrong: whoever asks looks closer then."""
    try:
        decoded: Decoded = _decoder(cast("Hashable", type_)).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return decoded


def decode_rows(rows: Sequence[msgspec.Raw], type_: type[Decoded]) -> list[Decoded | FareboxError]:
    """Each row by itself: its struct, or why it is none."""
    return [_decoded(row, type_) for row in rows]


def _decoded(row: msgspec.Raw, type_: type[Decoded]) -> Decoded | FareboxError:
    try:
        return decode(row, type_)
    except FareboxError as error:
        return error

"""The mapping file: a small TOML file, checked as a whole.

    format = "combined"                  # or nginx_json, caddy_json; auto by default
    source = "import:web1"               # "import" by default; one for each server
    [key]                                # one of key and key_id; by default the known key headers
    header = "x-api-key"                 # or field = "…"
    [key_id]
    value = "key_5hZ0c2rWq8Lm"           # one for all lines; or field, or header
    [request_id]
    field = "request_id"
    [log_type]                           # by method and path when there is none
    [channel]                            # the key's when there is none
    value = "portal"
    [credits]                            # the price when there is none
    response_header = "farebox-credits"
    [fields]                             # the usual values under other names
    duration_us = "D"
    [combined]
    trailing = ["request_time", "http_x_api_key", "-"]
    [paths]                              # before the log types' own path templates
    "POST /internal/search" = "people_search"

All wrong entries are reported at once. No value is ever repeated in an error: a key may have been
put in the wrong place.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal

from farebox.core.credits import EXPECTED as CREDITS_EXPECTED
from farebox.core.credits import to_micro
from farebox.core.errors import INVALID_REQUEST, FareboxError
from farebox.core.log_type import (
    SLUG,
    SLUG_EXPECTED,
    TEMPLATE_EXPECTED,
    check_template,
    template_shape,
)
from farebox.core.request import CALLER_CHANNELS
from farebox.importers.combined import FIXED
from farebox.importers.formats import AUTO, FORMATS
from farebox.importers.mapping import (
    PLACES,
    ROLES,
    SOURCE_DEFAULT,
    TEXT_LENGTH_MAX,
    ImportMapping,
    Route,
    is_short_text,
)
from farebox.importers.row import Place, PlaceKind

_SECTIONS = ("format", "source", *PLACES, "fields", "combined", "paths")
_NAME = re.compile(r"[!-~]{1,200}")
_HEADER = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)
_TRAILING = re.compile(r"-|[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)
_ROUTE = re.compile(r"(?:([A-Z]{1,32}) )?(/\S*)", re.ASCII)


def read_mapping(
    text: str, key_headers: Sequence[str], overrides: Mapping[str, object] | None = None
) -> ImportMapping:
    """The mapping of a TOML text; `""` is the default one.

    `key_headers` are where a key is looked for when the mapping doesn't say. `overrides` (flags of
    a command) have the shape of the file and replace whole entries; one for `key` or `key_id`
    replaces both.

    Raises:
        FareboxError: with every wrong entry in the message and in `details["problems"]`.
    """
    try:
        document: dict[str, object] = dict(tomllib.loads(text, parse_float=Decimal))
    except tomllib.TOMLDecodeError as error:
        raise _wrong([f"the mapping must be TOML ({_place_of(error)})"]) from None
    given = dict(overrides or {})
    if "key" in given or "key_id" in given:
        document.pop("key", None)
        document.pop("key_id", None)
    document.update(given)
    check = _Check(document)
    mapping = check.mapping(key_headers)
    if check.problems:
        raise _wrong(check.problems)
    return mapping


class _Check:
    """Goes through a document once and gathers what is wrong with it."""

    def __init__(self, document: dict[str, object]) -> None:
        self.problems: list[str] = []
        self._document = document

    def mapping(self, key_headers: Sequence[str]) -> ImportMapping:
        self._known("", self._document, _SECTIONS)
        places = {name: self._place(name) for name in PLACES}
        if "key" in self._document and "key_id" in self._document:
            self._wrong("key", "absent when 'key_id' is given")
        key = places["key"]
        keys = (key,) if key else tuple(Place("header", name) for name in key_headers)
        if not key and "key_id" not in self._document:
            keys += (Place("header", "authorization"),)
        return ImportMapping(
            format=self._format(),
            source=self._source(),
            keys=() if places["key_id"] else keys,
            key_id=places["key_id"],
            request_id=places["request_id"],
            log_type=places["log_type"],
            channel=places["channel"],
            credits=places["credits"],
            fields=self._fields(),
            trailing=self._trailing(),
            routes=self._routes(),
        )

    def _wrong(self, name: str, expected: str) -> None:
        self.problems.append(f"'{name}' must be {expected}")

    def _known(self, section: str, table: Mapping[str, object], names: Sequence[str]) -> None:
        for name in table:
            if name not in names:
                entry = f"{section}.{name}" if section else name
                self.problems.append(f"'{entry}' is not known; known are {', '.join(names)}")

    def _table(self, name: str) -> dict[str, object]:
        table = self._document.get(name, {})
        if isinstance(table, dict):
            return table
        self._wrong(name, "a table")
        return {}

    def _format(self) -> str:
        name = self._document.get("format", AUTO)
        if isinstance(name, str) and name in (AUTO, *FORMATS):
            return name
        self._wrong("format", f"one of {', '.join((AUTO, *FORMATS))}")
        return AUTO

    def _source(self) -> str:
        source = self._document.get("source", SOURCE_DEFAULT)
        if isinstance(source, str) and is_short_text(source):
            return source
        self._wrong("source", f"1 to {TEXT_LENGTH_MAX} printable characters")
        return SOURCE_DEFAULT

    def _place(self, name: str) -> Place | None:
        kinds = PLACES[name]
        if name not in self._document:
            return None
        table = self._table(name)
        self._known(name, table, kinds)
        given = [kind for kind in kinds if kind in table]
        if len(given) != 1:
            self._wrong(name, f"a table with exactly one of {', '.join(kinds)}")
            return None
        kind = given[0]
        value = table[kind]
        expected = _expected_value(name, value) if kind == "value" else _expected_name(kind, value)
        if expected:
            self._wrong(f"{name}.{kind}", expected)
        return Place(kind, str(value))

    def _fields(self) -> dict[str, str]:
        table = self._table("fields")
        self._known("fields", table, ROLES)
        for role, name in table.items():
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                self._wrong(f"fields.{role}", "the name of a field")
        return {role: str(table[role]) for role in ROLES if role in table}

    def _trailing(self) -> tuple[str, ...]:
        table = self._table("combined")
        self._known("combined", table, ("trailing",))
        given = table.get("trailing", [])
        names = [name for name in given if isinstance(name, str)] if isinstance(given, list) else []
        named = [name for name in names if name != "-"]
        if (
            names != given
            or not all(_TRAILING.fullmatch(name) for name in names)
            or len(set(named) | set(FIXED)) != len(named) + len(FIXED)
        ):
            expected = "a list of names of letters, digits and '_', all different, '-' to pass over"
            self._wrong("combined.trailing", f"{expected}; not {', '.join(FIXED)}")
        # What is passed over gets a name that no place can have.
        return tuple(f"-{at}" if name == "-" else name for at, name in enumerate(names))

    def _routes(self) -> tuple[Route, ...]:
        routes: list[Route] = []
        shapes: set[tuple[str | None, tuple[str, ...]]] = set()
        for name, slug in self._table("paths").items():
            match = _ROUTE.fullmatch(name)
            try:
                template = check_template(match.group(2) if match else "")
            except ValueError:
                self._wrong(f"paths.{name}", f"{TEMPLATE_EXPECTED}, after a method or alone")
                continue
            if not isinstance(slug, str) or not SLUG.fullmatch(slug):
                self._wrong(f"paths.{name}", f"a log type's slug: {SLUG_EXPECTED}")
                continue
            method = match.group(1) if match else None
            shape = (method, template_shape(template))
            if shape in shapes:
                self._wrong(f"paths.{name}", "different from the other paths")
            shapes.add(shape)
            routes.append(Route(method, template, slug))
        return tuple(routes)


def _expected_name(kind: PlaceKind, value: object) -> str | None:
    """What a name should be; None when it is that."""
    pattern, what = (_NAME, "field") if kind == "field" else (_HEADER, "header")
    is_name = isinstance(value, str) and pattern.fullmatch(value)
    return None if is_name else f"the name of a {what}"


def _expected_value(name: str, value: object) -> str | None:
    """What a constant should be; None when it is that."""
    if name == "credits":
        return None if _is_credits(value) else CREDITS_EXPECTED
    if name == "channel":
        return None if value in CALLER_CHANNELS else f"one of {', '.join(CALLER_CHANNELS)}"
    if name == "log_type":
        is_slug = isinstance(value, str) and SLUG.fullmatch(value)
        return None if is_slug else SLUG_EXPECTED
    is_right = isinstance(value, str) and is_short_text(value)
    return None if is_right else f"1 to {TEXT_LENGTH_MAX} printable characters"


def _is_credits(value: object) -> bool:
    try:
        is_number = isinstance(value, str | Decimal) or type(value) is int
        return is_number and to_micro(str(value)) >= 0
    except ValueError:
        return False


def _place_of(error: tomllib.TOMLDecodeError) -> str:
    """Line and column of a syntax error, without the text around it."""
    found = re.search(r"\(at (line \d+, column \d+|end of document)\)", str(error))
    return f"wrong at {found.group(1)}" if found else "wrong"


def _wrong(problems: list[str]) -> FareboxError:
    return FareboxError(INVALID_REQUEST, reason="; ".join(problems), details={"problems": problems})

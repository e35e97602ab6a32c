"""Fields: a JSON Schema as the rows of a table, one row a field, nested ones by their path."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from farebox.contract.schema import Schema, schemas_of
from farebox.contract.texts import Language

_DEPTH_MAX = 6


class Field(NamedTuple):
    """One field: `data.series[].date`, what may stand there, and what it means."""

    path: str
    type_text: str
    is_required: bool
    description: str


def fields_of(types: Iterable[object], language: Language) -> list[Field]:
    """The fields of the first of some types that has any: of a struct or a list of it."""
    schemas, components = schemas_of(types, language)
    for schema in schemas:
        found = list(_fields(schema, components, "", 0))
        if found:
            return found
    return []


def _fields(schema: Schema, components: dict[str, Schema], at: str, depth: int) -> Iterator[Field]:
    resolved = _resolved(schema, components)
    if "items" in resolved:
        yield from _fields(resolved["items"], components, f"{at}[]", depth + 1)
        return
    required = resolved.get("required", ())
    for name, inner in resolved.get("properties", {}).items() if depth < _DEPTH_MAX else ():
        path = f"{at}.{name}" if at else name
        yield Field(
            path,
            _type_text(_resolved(inner, components)),
            name in required,
            str(inner.get("description", "")),
        )
        yield from _fields(inner, components, path, depth + 1)


def _resolved(schema: Schema, components: dict[str, Schema]) -> Schema:
    """The schema itself where it is a reference, or a choice between one and null."""
    for option in (schema, *schema.get("anyOf", ())):
        name = str(option.get("$ref", "")).rpartition("/")[2]
        if name:
            return components[name]
    return schema


def _type_text(schema: Schema) -> str:
    types: Any = schema.get("type", "")
    if "enum" in schema:
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"])
    text = " | ".join(types) if isinstance(types, list) else str(types)
    form = schema.get("format")
    return f"{text} ({form})" if form else text

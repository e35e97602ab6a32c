"""JSON Schemas of the wire structs, in a reader's language.

They are what msgspec derives from the types, less its defaults of null, with amounts of credits as
numbers and with the descriptions translated. The dialect is 2020-12, which OpenAPI 3.1 uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from farebox.contract.texts import Language, translate

REF_TEMPLATE = "#/components/schemas/{name}"
# msgspec's form of Decimal; the JSON on the wire is a number.
_DECIMAL = {"type": "string", "format": "decimal"}

Schema = dict[str, Any]


def schemas_of(
    types: Iterable[object], language: Language
) -> tuple[list[Schema], dict[str, Schema]]:
    """The schema of each type, and the components that they refer to, by name."""
    found, components = _derive(tuple(types))
    return (
        [_localize(schema, language) for schema in found],
        {name: _localize(schema, language) for name, schema in components.items()},
    )


@lru_cache(maxsize=256)
def _derive(types: tuple[object, ...]) -> tuple[list[Schema], dict[str, Schema]]:
    found, components = msgspec.json.schema_components(types, ref_template=REF_TEMPLATE)
    return (
        [_clean(schema) for schema in found],
        {
            # The docstring of a struct is for who reads the code.
            name: _clean({k: v for k, v in schema.items() if k not in {"title", "description"}})
            for name, schema in components.items()
        },
    )


def _clean(node: Any) -> Any:  # noqa: ANN401 - a JSON Schema node is any JSON
    if isinstance(node, list):
        return [_clean(item) for item in node]
    if not isinstance(node, dict):
        return node
    cleaned = {key: _clean(value) for key, value in node.items()}
    if cleaned.get("required") == []:
        del cleaned["required"]
    if "default" in cleaned and cleaned["default"] is None:
        del cleaned["default"]
    if cleaned.get("format") == "decimal":
        del cleaned["format"]
        # An amount that has a pattern is one that comes in, where text is as good as a number.
        cleaned["type"] = ["number", "string"] if "pattern" in cleaned else "number"
    return _unite(cleaned)


def _unite(node: Schema) -> Schema:
    """The shorter form of a union: of integer and number, or of one type and null."""
    options = node.get("anyOf")
    if not isinstance(options, list):
        return node
    if any(option.get("type") == "number" for option in options):
        options = [option for option in options if option != {"type": "integer"}]
    rest = {key: value for key, value in node.items() if key != "anyOf"}
    values = [option for option in options if option != {"type": "null"}]
    if len(values) > 1 or "$ref" in values[0]:
        return {**rest, "anyOf": options}
    (only,) = values
    if len(options) > 1:
        if "enum" in only:
            only = {**only, "enum": [*only["enum"], None]}
        if "type" in only:
            types = only["type"] if isinstance(only["type"], list) else [only["type"]]
            only = {**only, "type": [*types, "null"]}
    return {**only, **rest}


def _localize(node: Any, language: Language) -> Any:  # noqa: ANN401 - as above
    """A copy with every description translated; the names of properties are no descriptions."""
    if isinstance(node, list):
        return [_localize(item, language) for item in node]
    if not isinstance(node, dict):
        return node
    localized: Schema = {}
    for key, value in node.items():
        if key == "properties" and isinstance(value, Mapping):
            localized[key] = {name: _localize(item, language) for name, item in value.items()}
        elif key == "description" and isinstance(value, str):
            localized[key] = translate(language, value)
        else:
            localized[key] = _localize(value, language)
    return localized


def descriptions_of(schema: Any) -> set[str]:  # noqa: ANN401 - as above
    """Every description in a schema: msgids."""
    found: set[str] = set()
    if isinstance(schema, list):
        for item in schema:
            found |= descriptions_of(item)
    elif isinstance(schema, dict):
        for key, value in schema.items():
            if key == "properties" and isinstance(value, Mapping):
                found |= descriptions_of(list(value.values()))
            elif key == "description" and isinstance(value, str):
                found.add(value)
            else:
                found |= descriptions_of(value)
    return found

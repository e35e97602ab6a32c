"""Wire structs: exactly what the seeds say, and numbers without artefacts."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from farebox.contract.errors import error_answer
from farebox.contract.operation import ErrorFamily, Operation
from farebox.contract.operations import BY_ID
from farebox.contract.profile import Subscription
from farebox.contract.quotas import QuotasAnswer
from farebox.contract.schema import Schema, schemas_of
from farebox.contract.texts import LANGUAGES, Language
from farebox.contract.wire import ENCODER
from farebox.core.errors import CATALOGUE, ErrorKind, FareboxError
from tests.contract.shape import SEED_NAMES, Shape, load, problems
from tests.contract.test_shape import full

FAMILIES: tuple[ErrorFamily, ...] = ("general", "quotas")


def operation_of(name: str) -> Operation:
    return BY_ID[load(name)["operation_id"] or "quotas_get"]


@pytest.mark.parametrize("name", SEED_NAMES)
def test_the_struct_writes_the_seeds_example_as_it_is(name: str) -> None:
    operation = operation_of(name)
    assert operation.response is not None
    text = json.dumps(full(name))
    written = json.loads(ENCODER.encode(msgspec.json.decode(text, type=operation.response)))
    assert written == full(name)
    assert problems(written, load(name)["answer"]) == []


@pytest.mark.parametrize("name", SEED_NAMES)
def test_the_struct_has_exactly_the_seeds_keys_types_and_nullability(name: str) -> None:
    operation = operation_of(name)
    (schema,), components = schemas_of((operation.response,), "en")
    assert to_shape(schema, components) == bare(load(name)["answer"])


@pytest.mark.parametrize("name", SEED_NAMES)
def test_the_operation_is_the_seeds(name: str) -> None:
    seed, operation = load(name), operation_of(name)
    method, path = seed["endpoint"].split()
    assert method in operation.methods
    assert path == operation.path
    assert operation.is_vendor_shaped
    assert set(map(int, seed["errors"])) <= set(operation.statuses)


@pytest.mark.parametrize("name", ["usage_breakdown", "usage_daily"])
def test_the_request_has_exactly_the_seeds_fields_and_ours(name: str) -> None:
    operation = operation_of(name)
    assert operation.request is not None
    wanted = load(name)["request"]
    fields = msgspec.structs.fields(operation.request)
    assert {field.encode_name for field in fields} == {*wanted["keys"], *wanted["ours"]}
    assert {field.encode_name for field in fields if field.required} == set(wanted["required"])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SEED_NAMES)
def test_errors_have_the_seeds_shapes_in_every_language(name: str, language: Language) -> None:
    operation = operation_of(name)
    shapes = load(name)["errors"]
    checked = set()
    for kind in operation.errors:
        shape = shapes.get(str(kind.status))
        if shape is not None:
            answer = error_answer(operation.error_family, raised(kind), language)
            assert problems(json.loads(ENCODER.encode(answer)), shape) == []
            checked.add(str(kind.status))
    assert checked == shapes.keys()


def test_the_internal_voice_never_leaves() -> None:
    for kind in CATALOGUE.values():
        for family in FAMILIES:
            error = raised(kind, internal="disk /dev/sda1 is full")
            assert b"sda1" not in ENCODER.encode(error_answer(family, error, "en"))


def test_credits_leave_as_numbers_without_artefacts() -> None:
    answer = QuotasAnswer("Acme", "u", Decimal("1250.5"), 2000, 749, None, None, None)
    assert b'"credits_left":1250.5,"credits_max":2000,"credits_used":749,' in ENCODER.encode(answer)


def test_a_subscription_lists_the_price_of_each_slug() -> None:
    plan = Subscription("P", "p", 1, None, None, None, None, None, None, True, None, None)
    fields = plan.with_prices({"people_search": Decimal("0.2")})
    assert fields["people_search_credit"] == Decimal("0.2")
    assert fields.keys() - {"people_search_credit"} == set(Subscription.__struct_fields__)


def raised(kind: ErrorKind, *, internal: str = "") -> FareboxError:
    """An error of a kind with its message filled in."""
    params: dict[str, Any] = dict.fromkeys(kind.parameters, "x")
    return FareboxError(kind, internal=internal, **params)


def to_shape(schema: Schema, components: dict[str, Schema]) -> dict[str, Any]:
    """A JSON Schema in the language of shapes."""
    if "$ref" in schema:
        return to_shape(components[schema["$ref"].rpartition("/")[2]], components)
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    shape: dict[str, Any] = {"type": types[0]}
    if "null" in types:
        shape["nullable"] = True
    if types[0] == "array":
        shape["items"] = to_shape(schema["items"], components)
    elif types[0] == "object" and "properties" in schema:
        assert set(schema["required"]) == schema["properties"].keys()
        shape["keys"] = {k: to_shape(v, components) for k, v in schema["properties"].items()}
    elif types[0] == "object":
        shape["type"] = "map"
    return shape


def bare(shape: Shape) -> dict[str, Any]:
    """A shape without what a JSON Schema of ours doesn't say."""
    kept: dict[str, Any] = {k: v for k, v in shape.items() if k in {"type", "nullable"}}
    if "items" in shape:
        kept["items"] = bare(shape["items"])
    if "keys" in shape:
        kept["keys"] = {name: bare(inner) for name, inner in shape["keys"].items()}
    return kept

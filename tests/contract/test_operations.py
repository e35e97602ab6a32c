"""Operations: each is documented in full, in one OpenAPI document that is valid."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from farebox.contract.errors import ERROR_STRUCTS
from farebox.contract.openapi import Settings, openapi_document, path_parameters
from farebox.contract.operation import Operation
from farebox.contract.operations import BY_ID, OPERATIONS, TAGS
from farebox.contract.parameters import PATH_PARAMETERS
from farebox.contract.schema import Schema, schemas_of
from farebox.contract.texts import LANGUAGES, Language
from farebox.core.errors import WRONG_METHOD

SETTINGS = Settings("1.2.3", ("x-api-key",))
each = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.operation_id)


def document(language: Language) -> dict[str, Any]:
    return openapi_document(OPERATIONS, language, SETTINGS)


@pytest.fixture(scope="module")
def english() -> dict[str, Any]:
    return document("en")


def test_ids_and_routes_are_unique() -> None:
    assert len(BY_ID) == len(OPERATIONS)
    routes = [(method, o.path) for o in OPERATIONS for method in o.methods]
    assert len(set(routes)) == len(routes)
    ids = [o.id_of(method) for o in OPERATIONS for method in o.methods]
    assert len(set(ids)) == len(ids)


def test_the_names_of_structs_are_unique() -> None:
    # Two of one name would get other names where they meet, and dangling references elsewhere.
    types: list[object] = []
    for operation in OPERATIONS:
        types += [type_ for form in operation.forms for type_ in form.types]
        types += [*operation.answers, *([operation.query] if operation.query else [])]
    _, components = schemas_of([*dict.fromkeys(types), *ERROR_STRUCTS.values()], "en")
    assert [name for name in components if "_" in name] == []


def test_every_tag_and_path_parameter_is_used() -> None:
    assert {o.tag for o in OPERATIONS} <= TAGS.keys()
    assert {p.name for o in OPERATIONS for p in path_parameters(o)} <= PATH_PARAMETERS.keys()


@each
def test_an_operation_is_documented(operation: Operation) -> None:
    assert operation.title
    assert operation.summary
    assert not operation.summary.endswith(".")
    assert operation.description.endswith(".")
    assert operation.response is None or operation.response_example is not None
    assert operation.success_status != 200 or operation.response_example is not None
    assert all(form.example is not None for form in operation.forms)
    assert WRONG_METHOD in operation.errors


@each
def test_every_field_says_what_it_means(operation: Operation) -> None:
    types = [type_ for form in operation.forms for type_ in form.types]
    types += [*operation.answers, *([operation.query] if operation.query else [])]
    _, components = schemas_of(types, "en")
    for name, component in components.items():
        for field, schema in component.get("properties", {}).items():
            assert schema.get("description") or is_container(schema), f"{name}.{field}"


def is_container(schema: Schema) -> bool:
    """Whether a field holds a struct or a list of structs, which say it themselves."""
    options = (schema, schema.get("items", {}), *schema.get("anyOf", ()))
    return any("$ref" in option for option in options)


@each
def test_the_structs_of_ours_refuse_unknown_fields(operation: Operation) -> None:
    for form in operation.forms:
        for type_ in form.types:
            if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
                is_strict = type_.__struct_config__.forbid_unknown_fields
                # A CloudEvent may carry any extension.
                assert is_strict != (operation.is_vendor_shaped or type_.__name__ == "CloudEvent")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_document_is_valid_in_every_language(language: Language) -> None:
    made = json.loads(msgspec.json.encode(document(language)))
    assert [error.message for error in OpenAPIV31SpecValidator(made).iter_errors()] == []


@each
def test_the_document_of_one_operation_is_valid(operation: Operation) -> None:
    made = json.loads(msgspec.json.encode(openapi_document((operation,), "jp", SETTINGS)))
    assert [error.message for error in OpenAPIV31SpecValidator(made).iter_errors()] == []


@each
def test_the_document_lists_every_status(operation: Operation, english: dict[str, Any]) -> None:
    for method in operation.methods:
        described = english["paths"][operation.path][method.lower()]
        assert sorted(map(int, described["responses"])) == list(operation.statuses)


def examples(made: dict[str, Any]) -> list[tuple[str, Schema, object]]:
    """Every example of a document with its schema."""
    found = []
    for path, item in made["paths"].items():
        for method, described in item.items():
            parts = [described.get("requestBody", {}), *described["responses"].values()]
            contents = [media for part in parts for media in part.get("content", {}).values()]
            for media in contents:
                several = [example["value"] for example in media.get("examples", {}).values()]
                listed = [media["example"]] if "example" in media else several
                found += [(f"{method} {path}", media["schema"], example) for example in listed]
    for name, response in made["components"]["responses"].items():
        for media in response["content"].values():
            found.append((name, media["schema"], media["example"]))
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_example_has_its_schema(language: Language) -> None:
    made = json.loads(msgspec.json.encode(document(language)))
    listed = examples(made)
    assert len(listed) > len(OPERATIONS)
    for where, schema, example in listed:
        validator = Draft202012Validator({**schema, "components": made["components"]})
        assert [error.message for error in validator.iter_errors(example)] == [], where


@each
def test_every_answers_example_is_what_its_struct_decodes(operation: Operation) -> None:
    if operation.response is not None:
        example = msgspec.json.encode(operation.response_example)
        msgspec.json.decode(example, type=operation.response)
    for answer in operation.other_answers:
        msgspec.json.decode(msgspec.json.encode(answer.example), type=answer.type_)
    for form in operation.forms:
        assert any(is_decoded(form.example, type_) for type_ in form.types)


def is_decoded(example: object, type_: Any) -> bool:  # noqa: ANN401 - any type msgspec decodes
    try:
        msgspec.json.decode(msgspec.json.encode(example), type=type_)
    except msgspec.ValidationError:
        return False
    return True


def test_a_key_may_come_in_any_known_header(english: dict[str, Any]) -> None:
    security = english["paths"]["/user"]["post"]["security"]
    assert security == [{"x_api_key": []}, {"bearer_key": []}]
    schemes = english["components"]["securitySchemes"]
    assert schemes["x_api_key"]["name"] == "x-api-key"
    assert english["paths"]["/healthz"]["get"]["security"] == []


def test_a_body_is_required_only_where_it_has_required_fields(english: dict[str, Any]) -> None:
    assert not english["paths"]["/user"]["post"]["requestBody"]["required"]
    assert english["paths"]["/api_keys/usage/daily"]["post"]["requestBody"]["required"]
    assert "requestBody" not in english["paths"]["/user"]["get"]


def test_amounts_of_credits_are_numbers(english: dict[str, Any]) -> None:
    schemas = english["components"]["schemas"]
    assert schemas["UsageTotals"]["properties"]["credits"]["type"] == "number"
    assert schemas["RequestRow"]["properties"]["credits"]["type"] == ["number", "string"]


def test_descriptions_are_in_the_documents_language() -> None:
    made = document("ko")
    assert made["paths"]["/user"]["get"]["summary"] == "API 키의 사용자 조회"
    fields = made["components"]["schemas"]["ProfileData"]["properties"]
    # A field named `description` is a field, and has a description.
    assert fields["description"]["description"] == "워크스페이스의 설명."

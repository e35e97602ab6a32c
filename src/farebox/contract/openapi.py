"""OpenAPI 3.1 documents of the operations, in a reader's language.

One builder makes the whole document and the fragment of a single operation's page: a document of
the operations that it is given, with the components that these refer to and no others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from farebox.contract.errors import ERROR_STRUCTS
from farebox.contract.openapi_errors import STATUS_TEXTS, error_name, error_responses
from farebox.contract.operation import Method, Operation, Security, error_shape
from farebox.contract.operations import TAGS
from farebox.contract.parameters import PATH_PARAMETERS, Parameter
from farebox.contract.schema import Schema, schemas_of
from farebox.contract.texts import Language, translate
from farebox.contract.wire import JSON

DESCRIPTION = "Meters, limits and reports the use of an HTTP API that is sold by credits."
KEY_TEXT = "An API key. It tells which workspace is calling."
BEARER_KEY_TEXT = "The same API key as a bearer token."
TOKEN_TEXT = "A token of the provider, with the scope that the call asks for."  # noqa: S105
_PATH_NAME = re.compile(r"\{([a-z_]+)\}")


class Settings(NamedTuple):
    """What a document tells of an installation."""

    version: str
    key_headers: tuple[str, ...] = ("pubrio-api-key", "x-api-key")


def openapi_document(
    operations: Iterable[Operation], language: Language, settings: Settings
) -> dict[str, Any]:
    """The document of some operations."""
    listed = tuple(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in listed:
        for method in operation.methods:
            item = paths.setdefault(operation.path, {})
            item[method.lower()] = _operation_object(operation, method, language, settings)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Farebox",
            "description": translate(language, DESCRIPTION),
            "version": settings.version,
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": tag, "description": translate(language, text)}
            for tag, text in TAGS.items()
            if any(operation.tag == tag for operation in listed)
        ],
        "paths": paths,
        "components": _components(listed, language, settings),
    }


def path_parameters(operation: Operation) -> list[Parameter]:
    """The parameters of an operation's path, in its order."""
    return [PATH_PARAMETERS[name] for name in _PATH_NAME.findall(operation.path)]


def _operation_object(
    operation: Operation, method: Method, language: Language, settings: Settings
) -> dict[str, Any]:
    described: dict[str, Any] = {
        "tags": [operation.tag],
        "summary": translate(language, operation.summary),
        "description": translate(language, operation.description),
        "operationId": operation.id_of(method),
        "parameters": _parameters(operation, language),
        "security": _requirements(operation.security, settings),
        "responses": _responses(operation, language),
    }
    if operation.forms and method != "GET":
        described["requestBody"] = _request_body(operation, language)
    return described


def _request_body(operation: Operation, language: Language) -> dict[str, Any]:
    content: dict[str, Any] = {}
    is_required = False
    for form in operation.forms:
        schemas, components = schemas_of(form.types, language)
        schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
        content[form.media_type] = {"schema": schema, "example": form.example}
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        is_required |= name not in components or "required" in components[name]
    return {"required": is_required, "content": content}


def _parameters(operation: Operation, language: Language) -> list[dict[str, Any]]:
    listed = [_parameter(p, "path", language) for p in path_parameters(operation)]
    listed += [_parameter(p, "header", language) for p in operation.headers]
    if operation.query is not None:
        (reference,), components = schemas_of((operation.query,), language)
        schema = components[reference["$ref"].rpartition("/")[2]]
        for name, value in schema["properties"].items():
            listed.append(
                {
                    "name": name,
                    "in": "query",
                    "description": value.get("description", ""),
                    "required": name in schema.get("required", ()),
                    "schema": {k: v for k, v in value.items() if k != "description"},
                }
            )
    return listed


def _parameter(parameter: Parameter, place: str, language: Language) -> dict[str, Any]:
    schema: Schema = {"type": parameter.type_name}
    if parameter.format_name:
        schema["format"] = parameter.format_name
    if parameter.choices:
        schema["enum"] = list(parameter.choices)
    if parameter.length_max is not None:
        schema |= {"minLength": 1, "maxLength": parameter.length_max}
    return {
        "name": parameter.name,
        "in": place,
        "description": translate(language, parameter.description),
        "required": place == "path",
        "schema": schema,
        "example": parameter.example,
    }


def _requirements(security: Security, settings: Settings) -> list[dict[str, list[str]]]:
    match security:
        case "key" | "forwarded":
            names = [_scheme_name(header) for header in settings.key_headers]
            return [{name: []} for name in (*names, "bearer_key")]
        case "meter" | "admin":
            return [{"bearer_token": []}]
        case "none":
            return []


def _responses(operation: Operation, language: Language) -> dict[str, Any]:
    success: dict[str, Any] = {
        "description": translate(language, STATUS_TEXTS[operation.success_status])
    }
    if operation.answer_headers:
        success["headers"] = {
            header.name: {
                "description": translate(language, header.description),
                "schema": {"type": header.type_name},
                "example": header.example,
            }
            for header in operation.answer_headers
        }
    if operation.answers:
        success["content"] = {JSON: _answer_content(operation, language)}
    elif operation.response_example is not None:
        media_types = (operation.response_media_type, *operation.other_media_types)
        success["content"] = {
            media_type: {"schema": {"type": "object" if media_type == JSON else "string"}}
            for media_type in media_types
        }
    responses = {str(operation.success_status): success}
    for status in sorted({kind.status for kind in operation.errors}):
        name = error_name(operation.error_family, status)
        responses[str(status)] = {"$ref": f"#/components/responses/{name}"}
    return responses


def _answer_content(operation: Operation, language: Language) -> dict[str, Any]:
    """The schema and the examples of a JSON answer."""
    schemas, _ = schemas_of(operation.answers, language)
    if not operation.other_answers:
        return {"schema": schemas[0], "example": operation.response_example}
    examples = {"answer": {"value": operation.response_example}}
    examples |= {form.name: {"value": form.example} for form in operation.other_answers}
    return {"schema": {"oneOf": schemas}, "examples": examples}


def _scheme_name(header: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "_", header)


def _components(
    operations: tuple[Operation, ...], language: Language, settings: Settings
) -> dict[str, Any]:
    types: list[object] = []
    for operation in operations:
        types += [type_ for form in operation.forms for type_ in form.types]
        types += operation.answers
        types += [
            ERROR_STRUCTS[error_shape(operation.error_family, kind.status)]
            for kind in operation.errors
        ]
    _, schemas = schemas_of(dict.fromkeys(types), language)
    used = {name for o in operations for r in _requirements(o.security, settings) for name in r}
    schemes = _security_schemes(language, settings)
    return {
        "schemas": schemas,
        "responses": error_responses(operations, language),
        "securitySchemes": {name: schemes[name] for name in schemes if name in used},
    }


def _security_schemes(language: Language, settings: Settings) -> dict[str, dict[str, str]]:
    schemes: dict[str, dict[str, str]] = {
        _scheme_name(header): {
            "type": "apiKey",
            "in": "header",
            "name": header,
            "description": translate(language, KEY_TEXT),
        }
        for header in settings.key_headers
    }
    schemes["bearer_key"] = {
        "type": "http",
        "scheme": "bearer",
        "description": translate(language, BEARER_KEY_TEXT),
    }
    schemes["bearer_token"] = {
        "type": "http",
        "scheme": "bearer",
        "description": translate(language, TOKEN_TEXT),
    }
    return schemes

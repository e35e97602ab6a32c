"""Every operation of the admin API: it answers as declared, to who may call it."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest

from farebox.api.admin import HANDLERS
from farebox.contract.admin import OPERATIONS
from farebox.contract.operation import Operation
from farebox.core.identity import format_uuid
from tests.support.admin import Admin
from tests.support.harness import Harness

IDS = [operation.operation_id for operation in OPERATIONS]


def prepare(admin: Admin, harness: Harness) -> dict[str, str]:
    """One of everything, and what stands for it in a path."""
    admin.make("/log_types", {"slug": "people_search", "name": "People", "credits": 3})
    profile_id = admin.workspace(licences=5)
    owner_id = admin.get(f"/workspaces/{profile_id}")["owner_user_id"]
    key = admin.make(f"/workspaces/{profile_id}/keys", {})
    token = admin.make("/tokens", {"name": "Gateway", "scope": "meter"})
    webhook = admin.make("/webhooks", {"url": "https://example.com/", "profile_id": profile_id})
    alert = admin.make(f"/workspaces/{profile_id}/alerts", {"kind": "credits", "thresholds": [100]})
    row = harness.row(profile_id, key["key_id"], credits_micro=3_000_000)
    harness.record([row])
    return {
        "profile_id": str(profile_id),
        "user_id": owner_id,
        "key_id": key["key_id"],
        "token_id": token["token_id"],
        "webhook_id": webhook["webhook_id"],
        "alert_id": alert["alert_id"],
        "request_id": format_uuid(row.query_log_id),
    }


def body_of(operation: Operation, known: dict[str, str]) -> Any:  # noqa: ANN401 - any JSON
    """The example of the operation, made to fit what is there."""
    example = operation.request_example
    if not isinstance(example, dict):
        return example
    fitting = {
        "admin_log_types_create": {"slug": "company_search", "path": "/companies"},
        "admin_log_types_change": {"valid_from": "2027-01-01T00:00:00Z"},
        "admin_plans_create": {"slug": "silver"},
        "admin_corrections_create": {"request_id": known["request_id"]},
    }
    return {**example, **fitting.get(operation.operation_id, {})}


def path_of(operation: Operation, known: dict[str, str]) -> str:
    """The path of the operation with what is there."""
    slug = "gold" if "/plans/" in operation.path else "people_search"
    return operation.path.format(slug=slug, **known).removeprefix("/admin/v1")


def test_every_operation_has_its_handler() -> None:
    assert sorted(HANDLERS) == sorted(IDS)


@pytest.mark.parametrize("operation", OPERATIONS, ids=IDS)
def test_an_operation_answers_as_it_is_declared(
    admin: Admin, harness: Harness, operation: Operation
) -> None:
    known = prepare(admin, harness)
    (method,) = operation.methods
    response = admin.call(method, path_of(operation, known), body_of(operation, known))
    assert response.status_code == operation.success_status, response.text
    assert response.headers["Cache-Control"] == "no-store"
    if operation.response is None:
        assert response.content == b""
        return
    answer = msgspec.json.decode(response.content, type=operation.response)
    assert msgspec.json.decode(response.content).keys() == set(answer.__struct_fields__)


@pytest.mark.parametrize("operation", OPERATIONS, ids=IDS)
def test_the_example_of_an_operation_has_its_form(operation: Operation) -> None:
    if operation.response is not None:
        encoded = msgspec.json.encode(operation.response_example)
        answer = msgspec.json.decode(encoded, type=operation.response)
        assert isinstance(operation.response_example, dict)
        assert operation.response_example.keys() == set(answer.__struct_fields__)
    if operation.request is not None:
        msgspec.json.decode(msgspec.json.encode(operation.request_example), type=operation.request)


@pytest.mark.parametrize("operation", OPERATIONS, ids=IDS)
def test_an_operation_wants_a_token_of_the_scope_admin(
    admin: Admin, harness: Harness, operation: Operation
) -> None:
    known = prepare(admin, harness)
    meter = admin.make("/tokens", {"name": "Meter", "scope": "meter"})["token"]
    key = admin.make(f"/workspaces/{known['profile_id']}/keys", {})["key"]
    (method,) = operation.methods
    path, body = f"/admin/v1{path_of(operation, known)}", body_of(operation, known)
    for token, status in ((None, 401), ("fbt_none", 401), (key, 401), (meter, 403)):
        response = admin.api.request(method, path, token=token, body=body)
        assert response.status_code == status, response.text


def test_no_answer_but_the_first_holds_a_secret(admin: Admin, harness: Harness) -> None:
    known = prepare(admin, harness)
    secrets = [
        admin.make(f"/workspaces/{known['profile_id']}/keys", {})["key"],
        admin.make("/tokens", {"name": "T", "scope": "admin"})["token"],
        admin.make("/webhooks", {"url": "https://example.com/"})["secret"],
    ]
    for operation in OPERATIONS:
        if operation.methods == ("GET",):
            response = admin.call("GET", path_of(operation, known))
            assert response.status_code == httpx.codes.OK
            assert not any(secret in response.text for secret in secrets)

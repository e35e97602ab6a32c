"""Calls of the admin API: what is refused and how, what is repeated, what is known at once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.support.admin import Admin
from tests.support.api import exact

GRANT = {"credits": 5, "kind": "topup"}


def refused(response: httpx.Response, code: int, *words: str) -> None:
    """The call is refused with this code, and the message has these words."""
    assert response.status_code == code // 100, response.text
    answer = response.json()
    assert answer.keys() == {"code", "message", "details"}
    assert answer["code"] == code
    for word in words:
        assert word in answer["message"]


def test_a_key_works_as_soon_as_it_is_told_and_no_longer_when_it_is_revoked(admin: Admin) -> None:
    profile_id = admin.workspace()
    made = admin.make(f"/workspaces/{profile_id}/keys", {"name": "Production"})
    quotas = admin.api.request("GET", "/v1/quotas", key=made["key"])
    assert exact(quotas)["credits_left"] == 2000
    response = admin.call("DELETE", f"/workspaces/{profile_id}/keys/{made['key_id']}")
    assert response.status_code == httpx.codes.NO_CONTENT
    assert admin.api.request("GET", "/v1/quotas", key=made["key"]).status_code == 401
    listed = admin.get(f"/workspaces/{profile_id}/keys")["data"]
    assert [key["status"] for key in listed] == ["revoked"]


def test_a_suspended_workspace_is_told_so_at_once(admin: Admin) -> None:
    profile_id = admin.workspace()
    key = admin.make(f"/workspaces/{profile_id}/keys", {})["key"]
    admin.change(f"/workspaces/{profile_id}", {"status": "suspended"})
    assert admin.api.request("GET", "/v1/quotas", key=key).status_code == 403
    admin.change(f"/workspaces/{profile_id}", {"status": "active"})
    assert admin.api.request("GET", "/v1/quotas", key=key).status_code == 200


def test_credits_are_exact_numbers(admin: Admin) -> None:
    profile_id = admin.workspace()
    path = f"/workspaces/{profile_id}/grants"
    response = admin.call("POST", path, content=b'{"credits": 0.1, "kind": "topup"}')
    assert b'"credits":0.1,' in response.content
    response = admin.call("POST", path, content=b'{"credits": "0.2", "kind": "topup"}')
    assert response.status_code == 201
    statement = admin.get(f"/workspaces/{profile_id}/statement")
    assert statement["closing_balance"] == Decimal("2000.3")


def test_a_repeated_write_gets_the_first_answer_and_no_secret(admin: Admin) -> None:
    profile_id = admin.workspace()
    path = f"/workspaces/{profile_id}/keys"
    first = admin.make(path, {"name": "A"}, idempotency_key="one")
    again = admin.make(path, {"name": "A"}, idempotency_key="one")
    assert again == {**first, "key": None}
    rotate = f"{path}/{first['key_id']}/rotate"
    new = admin.make(rotate, {"overlap_seconds": 0}, idempotency_key="two")
    assert admin.make(rotate, {"overlap_seconds": 0}, idempotency_key="two") == {
        **new,
        "key": None,
    }
    assert len(admin.get(path)["data"]) == 2


@pytest.mark.parametrize("noun", ["grants", "corrections", "workspaces"])
def test_a_repeated_write_makes_money_once(admin: Admin, noun: str) -> None:
    profile_id = admin.workspace()
    body: dict[str, Any]
    if noun == "workspaces":
        path, body = "/workspaces", {"name": "B", "plan": "gold"}
    elif noun == "grants":
        path, body = f"/workspaces/{profile_id}/grants", GRANT
    else:
        key_id = admin.make(f"/workspaces/{profile_id}/keys", {})["key_id"]
        row = {"id": "1", "key_id": key_id, "log_type": None, "credits": 3}
        recorded = admin.api.request(
            "POST", "/v1/requests", token=admin.token, body={"requests": [row]}
        )
        assert recorded.json()["accepted"] == 1
        ((query_log_id,),) = admin.api.harness.select(
            "select lower(hex(query_log_id)) from requests"
        )
        path = f"/workspaces/{profile_id}/corrections"
        body = {"request_id": dashed(query_log_id), "credits": -3, "reason": "x"}
    first = admin.make(path, body, idempotency_key="one")
    before = admin.api.harness.select("select count(*) from transfers")
    assert admin.make(path, body, idempotency_key="one") == first
    assert admin.api.harness.select("select count(*) from transfers") == before
    other = admin.call("POST", path, {**body, "credits": 4, "name": "C"}, idempotency_key="one")
    assert other.status_code == 422


def test_a_repeated_upgrade_gets_the_first_answer(admin: Admin) -> None:
    admin.make("/plans", {"slug": "large", "name": "Large", "credits_per_month": 3000})
    path = f"/workspaces/{admin.workspace()}"
    headers = {"Idempotency-Key": "one"}
    first = admin.call("PATCH", path, {"plan": "large"}, headers=headers)
    admin.change(path, {"name": "Renamed"})
    assert admin.call("PATCH", path, {"plan": "large"}, headers=headers).content == first.content
    assert admin.get(f"{path}/statement")["granted"] == 3000


def dashed(text: str) -> str:
    """A UUID's text from its digits."""
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def test_the_same_idempotency_key_with_another_body_is_refused(admin: Admin) -> None:
    profile_id = admin.workspace()
    path = f"/workspaces/{profile_id}/grants"
    admin.make(path, GRANT, idempotency_key="one")
    refused(admin.call("POST", path, {**GRANT, "credits": 6}, idempotency_key="one"), 42203)
    other = admin.workspace()
    refused(admin.call("POST", f"/workspaces/{other}/grants", GRANT, idempotency_key="one"), 42203)
    # The order of the fields is not the body.
    answer = admin.call("POST", path, {"kind": "topup", "credits": 5}, idempotency_key="one")
    assert answer.status_code == 201


def test_two_tokens_may_use_the_same_idempotency_key(admin: Admin) -> None:
    profile_id = admin.workspace()
    path = f"/admin/v1/workspaces/{profile_id}/grants"
    other = admin.make("/tokens", {"name": "Other", "scope": "admin"})["token"]
    made = [
        admin.api.request(
            "POST", path, token=token, body=GRANT, headers={"Idempotency-Key": "one"}
        ).json()["grant_id"]
        for token in (admin.token, other)
    ]
    assert made == [2, 3]


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
def test_an_idempotency_key_has_bounds(admin: Admin, key: str) -> None:
    profile_id = admin.workspace()
    response = admin.call("POST", f"/workspaces/{profile_id}/grants", GRANT, idempotency_key=key)
    refused(response, 42201, "Idempotency-Key")


def test_an_unknown_field_is_refused_by_name(admin: Admin) -> None:
    body = {"slug": "gold", "name": "Gold", "credits_per_month": 1, "limits": {"apis": {}}}
    refused(admin.call("POST", "/plans", body), 42202, "limits.apis")
    refused(admin.call("GET", "/plans?page=2"), 42202, "page")


@pytest.mark.parametrize(
    ("field", "value"), [("licences", "two"), ("name", 7), ("plan", None), ("status", "gone")]
)
def test_a_wrong_type_is_refused_by_name(admin: Admin, field: str, value: object) -> None:
    body = {"name": "Acme", "plan": "gold", field: value}
    refused(admin.call("POST", "/workspaces", body), 40004, field)


def test_a_missing_field_is_told_by_name(admin: Admin) -> None:
    refused(admin.call("POST", "/workspaces", {"name": "Acme"}), 40003, "plan")


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b'{"name": NaN}'])
def test_what_is_no_json_object_is_refused(admin: Admin, content: bytes) -> None:
    response = admin.call("POST", "/plans", content=content)
    assert response.status_code == 400


def test_texts_that_no_database_can_hold_are_refused(admin: Admin) -> None:
    admin.workspace()
    for content in (
        b'{"name": "\\ud800", "plan": "gold"}',
        b'{"name": "A", "plan": "\\ud800"}',
        b'{"name": "a\\u0000b", "plan": "gold"}',
        b'{"name": "A", "plan": "gold", "licences": 99999999999999999999}',
    ):
        response = admin.call("POST", "/workspaces", content=content)
        assert response.status_code in {400, 422}, response.text


@pytest.mark.parametrize("profile_id", ["0", "-1", "x", "99", "9" * 30, "1.0", "%00", "%EF%BC%91"])
def test_what_is_no_workspace_is_not_found(admin: Admin, profile_id: str) -> None:
    admin.workspace()
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {}),
        ("GET", "/keys", None),
        ("POST", "/keys", {}),
        ("POST", "/grants", GRANT),
        ("GET", "/statement", None),
    ):
        refused(admin.call(method, f"/workspaces/{profile_id}{path}", body), 40401)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "cursor=%00", "cursor=abc"])
def test_a_page_that_can_not_be_is_refused(admin: Admin, query: str) -> None:
    refused(admin.call("GET", f"/plans?{query}"), 40004, query.partition("=")[0])


def test_pages_are_read_on_by_their_cursor(admin: Admin) -> None:
    for number in range(5):
        admin.make("/plans", {"slug": f"p{number}", "name": "P", "credits_per_month": 0})
    seen = []
    path = "/plans?limit=2"
    while path:
        page = admin.get(path)
        seen.append([plan["slug"] for plan in page["data"]])
        cursor = page["next_cursor"]
        path = f"/plans?limit=2&cursor={cursor}" if cursor else ""
    assert seen == [["p0", "p1"], ["p2", "p3"], ["p4"]]


def test_a_refusal_is_said_in_the_language_of_the_reader(admin: Admin) -> None:
    profile_id = admin.workspace()
    body = {"nickname": "A", "email": "nobody"}
    told = {
        admin.call("POST", f"/workspaces/{profile_id}/users", body, language=language).json()[
            "message"
        ]
        for language in ("en", "zh-CN", "ko", "ja")
    }
    assert len(told) == 4
    english = "The field 'email' must be an email address of at most 254 characters."
    assert english in told
    assert sum("an email address" in message for message in told) == 1


def test_who_writes_is_kept_by_the_id_of_the_token(admin: Admin) -> None:
    admin.workspace()
    token_id = admin.get("/tokens")["data"][0]["token_id"]
    actors = admin.api.harness.select("select distinct actor from changes where kind = 'plan'")
    assert actors == [(f"token:{token_id}",)]


def test_licences_are_a_conflict(admin: Admin) -> None:
    profile_id = admin.workspace(licences=1)
    body = {"nickname": "A", "email": "a@example.com"}
    refused(admin.call("POST", f"/workspaces/{profile_id}/users", body), 40902, "1")


def test_a_tie_is_a_conflict(admin: Admin) -> None:
    body = {"slug": "a", "name": "A", "credits": 1, "path": "/x/{y}"}
    admin.make("/log_types", body)
    refused(admin.call("POST", "/log_types", {**body, "slug": "b", "path": "/x/{z}"}), 40904, "a")


def test_nothing_is_written_while_the_store_is_gone(admin: Admin) -> None:
    profile_id = admin.workspace()
    admin.api.store.is_gone = True
    response = admin.call("POST", f"/workspaces/{profile_id}/grants", GRANT)
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    admin.api.store.is_gone = False
    assert len(admin.get(f"/workspaces/{profile_id}/grants")["data"]) == 1

"""Who may call: keys come in headers only, and every key that doesn't work is told the same."""

from __future__ import annotations

import pytest

from farebox.core.instant import to_iso_ms
from tests.support.shop import CUSTOMER_CALLS, Shop

UNKNOWN = "fbx_" + "0" * 38


@pytest.mark.parametrize(
    ("header", "prefix"),
    [
        ("pubrio-api-key", ""),
        ("X-API-Key", ""),
        ("Authorization", "Bearer "),
        ("authorization", "bearer   "),
    ],
)
def test_a_key_is_taken_from_any_of_its_headers(shop: Shop, header: str, prefix: str) -> None:
    response = shop.api.request("GET", "/user", headers={header: prefix + shop.key})
    assert response.status_code == 200
    shop.api.flush()
    (log,) = shop.api.data("/api_keys/logs", shop.key)["query_logs"]
    assert log["authentication_type"] == header.lower()


@pytest.mark.parametrize(("method", "path", "body"), CUSTOMER_CALLS)
def test_a_call_without_a_key_is_refused(
    shop: Shop, method: str, path: str, body: dict[str, object] | None
) -> None:
    response = shop.api.request(method, path, body=body)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert "'pubrio-api-key'" in response.text


def test_unknown_revoked_and_expired_keys_get_the_same_answer(shop: Shop) -> None:
    revoked_id, revoked = shop.make_key()
    shop.harness.call("keys.revoke", profile_id=shop.profile_id, key_id=revoked_id)
    soon = to_iso_ms(shop.harness.now_ms + 60_000)
    _, expiring = shop.make_key(expires_at=soon)
    assert shop.api.post("/user", expiring).status_code == 200
    shop.harness.advance(minutes=1)
    answers = {
        (response.status_code, response.content)
        for key in (revoked, expiring, UNKNOWN, "short", "x" * 600, "x" * 20, "key with blanks")
        for response in [shop.api.post("/user", key)]
    }
    assert len(answers) == 1
    assert answers.pop()[0] == 401


def test_a_key_works_from_the_moment_it_is_made_and_not_after_it_is_revoked(shop: Shop) -> None:
    key_id, key = shop.make_key()
    assert shop.api.post("/user", key).status_code == 200
    shop.harness.call("keys.revoke", profile_id=shop.profile_id, key_id=key_id)
    shop.api.run(shop.api.context.follower.catch_up())
    assert shop.api.post("/user", key).status_code == 401


def test_a_suspended_workspace_is_told_so(shop: Shop) -> None:
    shop.harness.call("workspaces.change", profile_id=shop.profile_id, status="suspended")
    shop.api.run(shop.api.context.follower.catch_up())
    response = shop.api.post("/user", shop.key)
    assert (response.status_code, response.json()["code"]) == (403, 40301)


@pytest.mark.parametrize("name", ["key", "api_key", "x-api-key", "Pubrio-API-Key", "access_token"])
def test_a_key_in_the_url_is_refused_and_never_read(shop: Shop, name: str) -> None:
    response = shop.api.request("GET", f"/user?{name}={shop.key}")
    assert (response.status_code, response.json()["code"]) == (400, 40010)
    both = shop.api.request("GET", f"/user?note={shop.key}", key=shop.key)
    assert (both.status_code, both.json()["code"]) == (400, 40010)
    assert shop.key not in response.text + both.text


def test_answers_hold_no_secret(shop: Shop) -> None:
    responses = [
        shop.api.request(method, path, key=shop.key, body=body)
        for method, path, body in CUSTOMER_CALLS
    ]
    body = {shop.key: 1, "start_date": shop.key, "end_date": shop.key, "keys": [shop.key]}
    responses += [
        shop.api.post("/api_keys/usage/daily", shop.key, body),
        shop.api.post("/api_keys/logs/lookup", shop.key, {"query_log_id": shop.key}),
        shop.api.request(shop.key, "/user", key=shop.key),
        shop.api.request("GET", f"/{shop.key}", key=shop.key),
        shop.api.request("POST", "/v1/requests", key=shop.key, token=shop.key, body=body),
    ]
    assert {response.status_code for response in responses} >= {200, 400, 401, 404, 405}
    for response in responses:
        assert shop.key not in response.text
        assert shop.key not in str(response.headers)


def test_a_provider_token_is_no_api_key(shop: Shop) -> None:
    assert shop.api.request("GET", "/user", token=shop.api.admin_token).status_code == 401

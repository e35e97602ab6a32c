"""Who may report: a token of the scope meter or admin, and no one else."""

from __future__ import annotations

import pytest

from tests.api.metering.gateway import EVENTS, Gateway

ROUTES = ("/v1/requests", EVENTS)


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("scope", ["meter", "admin"])
def test_either_scope_may_report(gateway: Gateway, path: str, scope: str) -> None:
    token = gateway.make_token(scope)
    body: object = gateway.event() if path == EVENTS else {"requests": [gateway.row()]}
    response = gateway.api.request("POST", path, token=token, body=body)
    assert response.status_code == (204 if path == EVENTS else 200)
    assert gateway.counted()[0][1] == 1


@pytest.mark.parametrize("path", ROUTES)
def test_no_one_else_may_and_all_are_told_the_same(gateway: Gateway, path: str) -> None:
    revoked = gateway.harness.call("tokens.create", name="Old", scope="meter")
    gateway.harness.call("tokens.revoke", token_id=revoked.token_id)
    body: object = gateway.event() if path == EVENTS else {"requests": [gateway.row()]}
    answers = {
        (response.status_code, response.content, response.headers["www-authenticate"])
        for token in (None, "", "short", "fbt_" + "0" * 38, revoked.token, gateway.key, "x" * 600)
        for response in [gateway.api.request("POST", path, token=token, body=body)]
    }
    ((status, content, challenge),) = answers
    assert (status, challenge) == (401, "Bearer")
    assert b"'meter'" in content
    assert gateway.counted()[0][1] == 0


@pytest.mark.parametrize("path", ROUTES)
def test_a_revoked_token_is_refused_within_a_second(gateway: Gateway, path: str) -> None:
    """By a server that knows it already and follows what others change."""
    made = gateway.harness.call("tokens.create", name="T", scope="meter")
    body: object = gateway.event() if path == EVENTS else {"requests": [gateway.row()]}
    assert gateway.api.request("POST", path, token=made.token, body=body).is_success
    gateway.harness.call("tokens.revoke", token_id=made.token_id)
    gateway.api.run(gateway.api.context.follower.catch_up())
    assert gateway.api.request("POST", path, token=made.token, body=body).status_code == 401


@pytest.mark.parametrize("path", ROUTES)
def test_a_token_counts_in_the_header_authorization_only(gateway: Gateway, path: str) -> None:
    for headers in (
        {"X-API-Key": gateway.token},
        {"pubrio-api-key": gateway.token},
        {"Authorization": gateway.token},
        {"Authorization": f"Basic {gateway.token}"},
    ):
        assert gateway.api.request("POST", path, body={}, headers=headers).status_code == 401
    response = gateway.api.request("POST", f"{path}?token={gateway.token}", body={})
    assert (response.status_code, response.json()["code"]) == (400, 40010)
    assert gateway.token not in response.text


def test_a_suspended_workspaces_usage_is_recorded_since_it_has_happened(gateway: Gateway) -> None:
    gateway.harness.call("workspaces.change", profile_id=gateway.profile_id, status="suspended")
    assert gateway.report(gateway.row())["accepted"] == 1


@pytest.mark.parametrize("path", ROUTES)
def test_only_post_is_answered(gateway: Gateway, path: str) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE", "HEAD", "BREW"):
        response = gateway.api.request(method, path, token=gateway.token)
        assert (response.status_code, response.headers["allow"]) == (405, "POST")

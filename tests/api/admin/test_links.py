"""Links over HTTP: the link in the first answer only, wrong fields by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from farebox.core.link import PAGE
from farebox.engine.paths import secret_path
from farebox.service.links import open_link
from tests.support.admin import Admin
from tests.support.api import Api
from tests.support.harness import Harness


def test_a_link_leads_to_the_dashboard_of_its_workspace(admin: Admin) -> None:
    profile_id, context = admin.workspace(), admin.api.context
    link = admin.make(f"/workspaces/{profile_id}/links", {"role": "manage"})
    assert link.keys() == {"link_id", "role", "expires_at", "url"}
    page, _, token = link["url"].partition("#")
    assert page == f"http://127.0.0.1:8080{PAGE}"
    told = open_link(context.link_seal, token, context.clock.now_ms())
    assert (told.link_id, told.profile_id, told.role) == (link["link_id"], profile_id, "manage")
    assert told.expires_ms - told.made_ms == 3_600_000


def test_a_link_begins_with_the_public_url(tmp_path: Path) -> None:
    settings = {"FAREBOX_PUBLIC_URL": "https://usage.example.com/"}
    with Harness(tmp_path) as harness, Api(harness, settings) as api:
        admin = Admin(api)
        link = admin.make(f"/workspaces/{admin.workspace()}/links", {"role": "view"})
        assert link["url"].startswith(f"https://usage.example.com{PAGE}#lnk_")
        guide = api.request("GET", "/docs/en/dashboard.md").text
        assert "curl https://usage.example.com/admin/v1/workspaces/1/links" in guide


def test_a_repeat_names_the_same_link_and_does_not_show_it(admin: Admin) -> None:
    path, body = f"/workspaces/{admin.workspace()}/links", {"role": "view"}
    first = admin.make(path, body, idempotency_key="once")
    assert admin.make(path, body, idempotency_key="once") == {**first, "url": None}
    other = {"role": "manage"}
    assert admin.call("POST", path, other, idempotency_key="once").status_code == 422


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "role"),
        ({"role": "owner"}, "role"),
        ({"role": "view", "expires_in_seconds": 59}, "expires_in_seconds"),
        ({"role": "view", "expires_in_seconds": 31 * 86_400 + 1}, "expires_in_seconds"),
        ({"role": "view", "expires_in_seconds": 90.5}, "expires_in_seconds"),
        ({"role": "view", "expires_at": "2026-05-05T00:00:00Z"}, "expires_at"),
    ],
)
def test_a_wrong_field_is_named(admin: Admin, body: object, field: str) -> None:
    response = admin.call("POST", f"/workspaces/{admin.workspace()}/links", body)
    assert response.status_code in {400, 422}
    assert f"'{field}'" in response.json()["message"]


def test_there_is_no_link_to_a_workspace_that_is_not_there(admin: Admin) -> None:
    assert admin.call("POST", "/workspaces/999/links", {"role": "view"}).status_code == 404


def test_no_link_is_made_that_could_not_be_signed(admin: Admin) -> None:
    profile_id = admin.workspace()
    secret_path(admin.api.harness.path).write_text("short")
    path = f"/workspaces/{profile_id}/links"
    assert admin.call("POST", path, {"role": "view"}).status_code == 503
    assert admin.api.harness.select("select ref from changes where kind = 'link'") == []


def test_all_links_of_a_workspace_are_revoked_as_often_as_one_likes(admin: Admin) -> None:
    profile_id = admin.workspace()
    path = f"/workspaces/{profile_id}/links"
    admin.make(path, {"role": "manage"})
    for _ in range(2):
        before = admin.api.context.directory.workspaces[profile_id].session_epoch
        answer = admin.call("DELETE", path)
        assert (answer.status_code, answer.content) == (204, b"")
        # This process knows of it with its answer.
        assert admin.api.context.directory.workspaces[profile_id].session_epoch != before
    assert admin.call("DELETE", "/workspaces/999/links").status_code == 404

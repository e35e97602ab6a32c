"""Sessions: who may see what, for how long, and that no form of another page is carried out."""

from __future__ import annotations

import pytest

from farebox.core.instant import MS_PER_HOUR
from tests.support.shop import Shop
from tests.support.visitor import Page, Visitor

SIGN_IN = "/dashboard/sign-in"


def test_a_page_without_a_session_leads_to_the_sign_in_page_and_back(
    shop: Shop, visitor: Visitor
) -> None:
    page = visitor.get("/dashboard?user=x")
    assert page.path == SIGN_IN
    page = visitor.send(page, SIGN_IN, key=shop.key)
    assert page.response.request.url.query == b"user=x"
    assert page.path == "/dashboard"
    assert "Acme" in page.text


@pytest.mark.parametrize(
    "place",
    ["https://evil.test/", "//evil.test", "/operator", "/dashboardx", "/dashboard/\\evil", "x\ny"],
)
def test_a_sign_in_leads_to_no_page_but_of_its_own_area(
    shop: Shop, visitor: Visitor, place: str
) -> None:
    page = visitor.get(SIGN_IN)
    assert visitor.send(page, SIGN_IN, key=shop.key, next=place).path == "/dashboard"


def test_a_wrong_key_is_told_at_its_field_and_not_shown_again(visitor: Visitor) -> None:
    page = visitor.send(visitor.get(SIGN_IN), SIGN_IN, key="fbx_wrong-but-typed")
    assert page.status == 401
    assert "The API key is not valid." in page.text
    assert "wrong-but-typed" not in page.response.text
    assert visitor.get("/dashboard").path == SIGN_IN


def test_a_key_never_leaves_in_a_cookie_a_page_or_an_address(shop: Shop, customer: Visitor) -> None:
    page = customer.get("/dashboard")
    assert shop.key not in page.response.text
    assert all(shop.key not in value for value in customer.cookies.values())


def test_the_cookie_is_for_the_browser_alone_and_for_its_area(shop: Shop, visitor: Visitor) -> None:
    page = visitor.get(SIGN_IN)
    csrf = page.form(SIGN_IN).values["csrf"][0]
    response = visitor.ask("POST", SIGN_IN, f"csrf={csrf}&key={shop.key}".encode())
    cookie = response.headers["set-cookie"]
    assert "; Path=/dashboard;" in cookie
    assert "; HttpOnly" in cookie
    assert cookie.endswith("SameSite=Lax")


def test_a_session_is_another_one_after_the_sign_in(shop: Shop, visitor: Visitor) -> None:
    page = visitor.get(SIGN_IN)
    before = visitor.cookies["farebox_workspace"]
    old_mark = page.form(SIGN_IN).values["csrf"]
    signed_in = visitor.send(page, SIGN_IN, key=shop.key)
    assert visitor.cookies["farebox_workspace"] != before
    assert signed_in.form("/dashboard/sign-out").values["csrf"] != old_mark


@pytest.mark.parametrize("csrf", [None, "", "0" * 32, "é"])
def test_a_form_without_the_mark_of_its_session_is_refused(
    shop: Shop, visitor: Visitor, csrf: str | None
) -> None:
    page = visitor.get(SIGN_IN)
    answer = visitor.send(page, SIGN_IN, key=shop.key, csrf=csrf)
    assert answer.status == 403
    assert visitor.get("/dashboard").path == SIGN_IN


def test_the_mark_of_another_session_is_refused(shop: Shop, customer: Visitor) -> None:
    other = Visitor(shop.api).get(SIGN_IN).form(SIGN_IN).values["csrf"]
    answer = customer.post("/dashboard/sign-out", {"csrf": other})
    assert answer.status == 403
    assert customer.get("/dashboard").path == "/dashboard"


def test_signing_out_ends_the_session(customer: Visitor) -> None:
    page = customer.send(customer.get("/dashboard"), "/dashboard/sign-out")
    assert page.path == SIGN_IN
    assert customer.get("/dashboard").path == SIGN_IN


def test_a_revoked_key_ends_its_sessions(shop: Shop, customer: Visitor) -> None:
    shop.harness.call("keys.revoke", profile_id=shop.profile_id, key_id=shop.key_id)
    shop.api.run(shop.api.context.follower.catch_up())
    assert customer.get("/dashboard").path == SIGN_IN


def test_a_session_ends_after_its_hours(shop: Shop, customer: Visitor) -> None:
    shop.harness.clock.advance(12 * MS_PER_HOUR)
    assert customer.get("/dashboard").path == SIGN_IN


def test_a_suspended_workspace_is_told_so(shop: Shop, customer: Visitor) -> None:
    shop.harness.call("workspaces.change", profile_id=shop.profile_id, status="suspended")
    shop.api.run(shop.api.context.follower.catch_up())
    page = customer.get("/dashboard")
    assert page.status == 403
    assert "The workspace is suspended." in page.text
    # Whoever has another key isn't caught in there.
    page = customer.send(page, "/dashboard/sign-out")
    assert page.path == SIGN_IN
    assert "Other" in customer.send(page, SIGN_IN, key=shop.other_key).texts


def test_a_suspended_workspace_is_no_obstacle_to_a_link_into_another(shop: Shop) -> None:
    customer, _ = follow(shop, "view")
    shop.harness.call("workspaces.change", profile_id=shop.profile_id, status="suspended")
    shop.api.run(shop.api.context.follower.catch_up())
    page = customer.get(SIGN_IN)
    assert page.status == 200
    assert "Other" in customer.send(page, SIGN_IN, key=shop.other_key).texts


@pytest.mark.parametrize("change", [lambda c: c[:-1] + ("A" if c[-1] != "A" else "B"), str.upper])
def test_a_changed_cookie_is_none(customer: Visitor, change: object) -> None:
    assert callable(change)
    customer.cookies["farebox_workspace"] = change(customer.cookies["farebox_workspace"])
    assert customer.get("/dashboard").path == SIGN_IN


def test_a_workspaces_session_is_none_of_the_operators(customer: Visitor) -> None:
    customer.cookies["farebox_operator"] = customer.cookies["farebox_workspace"]
    assert customer.get("/operator").path == "/operator/sign-in"


def test_a_token_that_may_only_meter_is_no_operators(shop: Shop, visitor: Visitor) -> None:
    meter = shop.harness.call("tokens.create", name="gateway", scope="meter").token
    page = visitor.get("/operator/sign-in")
    answer = visitor.send(page, "/operator/sign-in", token=meter)
    assert answer.status == 403
    assert visitor.get("/operator").path == "/operator/sign-in"


def test_a_revoked_token_ends_its_sessions(shop: Shop, operator: Visitor) -> None:
    tokens = shop.api.request("GET", "/admin/v1/tokens", token=shop.api.admin_token).json()["data"]
    shop.harness.call("tokens.revoke", token_id=tokens[0]["token_id"])
    shop.api.run(shop.api.context.follower.catch_up())
    assert operator.get("/operator").path == "/operator/sign-in"


def follow(shop: Shop, role: str, *, hours: int = 1) -> tuple[Visitor, Page]:
    """A browser that was given a link, and the page that it leads to."""
    made = shop.api.request(
        "POST",
        f"/admin/v1/workspaces/{shop.profile_id}/links",
        token=shop.api.admin_token,
        body={"role": role, "expires_in_seconds": hours * 3600},
    ).json()
    path, _, token = made["url"].partition("#")
    visitor = Visitor(shop.api)
    page = visitor.get(path[path.index("/dashboard") :])
    return visitor, visitor.send(page, "/dashboard/link", token=token)


@pytest.mark.parametrize(
    ("role", "told"), [("view", "Signed in to view"), ("manage", "Signed in to view and manage")]
)
def test_a_link_leads_to_its_workspace_with_its_role(shop: Shop, role: str, told: str) -> None:
    _, page = follow(shop, role)
    assert page.path == "/dashboard"
    assert "Acme" in page.texts
    assert told in page.texts


def test_a_link_and_what_it_opened_end_together(shop: Shop) -> None:
    visitor, _ = follow(shop, "view", hours=2)
    shop.harness.clock.advance(2 * MS_PER_HOUR - 1)
    assert visitor.get("/dashboard").path == "/dashboard"
    shop.harness.clock.advance(1)
    assert visitor.get("/dashboard").path == SIGN_IN


@pytest.mark.parametrize("token", ["", "lnk_", "lnk_AAAA", "fbx_x", "é"])
def test_a_link_that_is_none_is_told_so(visitor: Visitor, token: str) -> None:
    page = visitor.send(visitor.get("/dashboard/link"), "/dashboard/link", token=token)
    assert page.status == 401
    assert "This link doesn't work any more" in page.text
    assert visitor.get("/dashboard").path == SIGN_IN


def test_a_store_that_is_gone_is_told_as_such_and_signs_nobody_out(
    shop: Shop, customer: Visitor
) -> None:
    shop.api.store.is_gone = True
    page = customer.get("/dashboard")
    assert page.status == 503
    assert page.response.headers["retry-after"]
    shop.api.store.is_gone = False
    assert customer.get("/dashboard").path == "/dashboard"

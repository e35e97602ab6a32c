"""Signing out: of one browser, or of all of them, with every link and every copy of a cookie."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from farebox.core.link import PAGE
from tests.dashboard.people import by_link, catch_up
from tests.support.shop import Shop
from tests.support.visitor import Page, Visitor

SIGN_IN = "/dashboard/sign-in"
EVERYONE = "/dashboard/sign-out/everyone"
ENDED = "The sign-in has ended; sign in again."
SIGNED_OUT = "All links and sign-ins of this workspace have ended."


def is_signed_in(visitor: Visitor) -> bool:
    """Whether the pages open."""
    return visitor.get("/dashboard").path == "/dashboard"


def copy_of(shop: Shop, visitor: Visitor) -> Visitor:
    """Somebody with a copy of the cookies."""
    copy = Visitor(shop.api)
    copy.cookies = dict(visitor.cookies)
    return copy


def confirmed(visitor: Visitor, asked: Page) -> Page:
    """What comes after yes was said on a page that asked."""
    (form,) = (one for one in asked.forms if "confirmed" in one.values)
    return visitor.post(form.action, form.values)


def new_link(shop: Shop) -> str:
    """The token of a new link."""
    path = f"/admin/v1/workspaces/{shop.profile_id}/links"
    made = shop.api.request("POST", path, token=shop.api.admin_token, body={"role": "view"}).json()
    token: str = made["url"].partition("#")[2]
    return token


def by_the_api(shop: Shop) -> None:
    path = f"/admin/v1/workspaces/{shop.profile_id}/links"
    assert shop.api.request("DELETE", path, token=shop.api.admin_token).status_code == 204


def elsewhere(shop: Shop) -> None:
    shop.harness.call("links.revoke", profile_id=shop.profile_id)
    catch_up(shop)


def by_the_operator(shop: Shop) -> None:
    operator = Visitor(shop.api).sign_in_as_operator(shop.api.admin_token)
    place = f"/operator/workspaces/{shop.profile_id}"
    asked = operator.send(operator.get(place), f"{place}/sign-out/everyone")
    assert "Sign everyone out of Acme?" in asked.text
    done = confirmed(operator, asked)
    assert done.path == place
    assert SIGNED_OUT in done.text


def by_who_manages(shop: Shop) -> None:
    manager = by_link(shop, "manage")
    asked = manager.send(manager.get("/dashboard/usage"), EVERYONE)
    assert is_signed_in(manager)
    done = confirmed(manager, asked)
    assert done.path == SIGN_IN
    assert SIGNED_OUT in done.text
    assert ENDED not in done.text


WAYS = (by_the_api, elsewhere, by_the_operator, by_who_manages)


@pytest.mark.parametrize("way", WAYS)
def test_every_session_of_a_workspace_and_every_copy_of_it_ends_at_once(
    shop: Shop, customer: Visitor, way: Callable[[Shop], None]
) -> None:
    people = [customer, by_link(shop, "view"), by_link(shop, "manage")]
    people += [copy_of(shop, one) for one in people]
    other = Visitor(shop.api).sign_in(shop.other_key)
    operator = Visitor(shop.api).sign_in_as_operator(shop.api.admin_token)
    assert all(map(is_signed_in, people))
    way(shop)
    assert not any(map(is_signed_in, people))
    # Nobody else's.
    assert is_signed_in(other)
    assert operator.get("/operator").path == "/operator"
    # Keys are as good as before, and new links too.
    assert is_signed_in(Visitor(shop.api).sign_in(shop.key))
    assert is_signed_in(by_link(shop, "manage"))


def test_a_link_that_was_made_before_is_told_to_be_revoked(shop: Shop, visitor: Visitor) -> None:
    token = new_link(shop)
    by_the_api(shop)
    page = visitor.send(visitor.get(PAGE), PAGE, token=token)
    assert page.status == 401
    assert "This link doesn't work any more" in page.text
    assert "The link was revoked. Ask whoever sent it for a new one." in page.text
    assert not is_signed_in(visitor)
    assert visitor.send(visitor.get(PAGE), PAGE, token=new_link(shop)).path == "/dashboard"


def test_a_form_of_a_session_that_was_ended_changes_nothing(shop: Shop) -> None:
    manager = by_link(shop, "manage")
    page = manager.get("/dashboard/keys/new")
    by_the_api(shop)
    before = shop.harness.select("select count(*) from changes")
    answer = manager.send(page, "/dashboard/keys/new", name="Late")
    assert answer.path == SIGN_IN
    assert shop.harness.select("select count(*) from changes") == before


def test_who_comes_with_a_session_that_was_ended_is_told_so_once(
    shop: Shop, customer: Visitor
) -> None:
    by_the_api(shop)
    page = customer.get("/dashboard/usage")
    assert page.path == SIGN_IN
    assert ENDED in page.text
    assert ENDED not in customer.get(SIGN_IN).text
    page = customer.send(page, SIGN_IN, key=shop.key)
    assert page.path == "/dashboard/usage"


def test_a_session_that_is_younger_than_what_a_process_knows_holds_there(shop: Shop) -> None:
    catch_up(shop)
    directory = shop.api.context.directory
    change_id, before = directory.change_id, directory.workspaces[shop.profile_id]
    by_the_api(shop)
    visitor = by_link(shop, "view")
    # As in another process, which looks for changes a few times a second.
    directory.workspaces[shop.profile_id] = before
    directory.change_id = change_id
    assert is_signed_in(visitor)


def test_signing_out_alone_ends_nobody_elses_session(shop: Shop, customer: Visitor) -> None:
    other = by_link(shop, "view")
    customer.send(customer.get("/dashboard"), "/dashboard/sign-out")
    assert not is_signed_in(customer)
    assert is_signed_in(other)


def test_who_may_only_look_signs_nobody_out(shop: Shop, customer: Visitor) -> None:
    for visitor in (customer, by_link(shop, "view")):
        page = visitor.get("/dashboard")
        assert not [form for form in page.forms if form.action == EVERYONE]
        csrf = page.form("/dashboard/sign-out").values["csrf"]
        answer = visitor.post(EVERYONE, {"csrf": csrf, "confirmed": ["yes"]})
        assert answer.status == 403
        assert is_signed_in(visitor)


def test_who_signed_everyone_out_is_kept(shop: Shop) -> None:
    by_who_manages(shop)
    by_the_operator(shop)
    told = shop.harness.select("select action, kind, actor from changes order by change_id")[-2:]
    assert {row[:2] for row in told} == {("revoke_links", "workspace")}
    assert [row[2].partition(":")[0] for row in told] == ["link", "token"]


def test_a_revoked_token_ends_copies_of_its_sessions_and_those_of_no_other(
    shop: Shop, operator: Visitor
) -> None:
    made = shop.harness.call("tokens.create", name="Ann", scope="admin")
    ann = Visitor(shop.api).sign_in_as_operator(made.token)
    copy = copy_of(shop, ann)
    shop.harness.call("tokens.revoke", token_id=made.token_id)
    # Their pages know at once what was done elsewhere.
    for visitor in (ann, copy):
        page = visitor.get("/operator/workspaces")
        assert page.path == "/operator/sign-in"
        assert ENDED in page.text
    assert operator.get("/operator").path == "/operator"


def test_a_revoked_key_ends_copies_of_its_sessions_and_those_of_no_other(
    shop: Shop, customer: Visitor
) -> None:
    _, secret = shop.make_key(name="Other")
    catch_up(shop)
    other, copy = Visitor(shop.api).sign_in(secret), copy_of(shop, customer)
    shop.harness.call("keys.revoke", profile_id=shop.profile_id, key_id=shop.key_id)
    catch_up(shop)
    assert not any(map(is_signed_in, (customer, copy)))
    assert is_signed_in(other)

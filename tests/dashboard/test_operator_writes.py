"""What the operator writes by pages is what the admin API shows, and changes tell who it was."""

from __future__ import annotations

from typing import Any

import pytest

from farebox.core.identity import format_uuid
from farebox.core.key import KEY_PREFIX, TOKEN_PREFIX
from tests.support.api import exact
from tests.support.shop import Shop
from tests.support.visitor import Visitor

ROOT = "/operator"


def asked(shop: Shop, path: str) -> Any:  # noqa: ANN401 - any JSON
    """The admin API's answer, with exact numbers."""
    answer = shop.api.request("GET", f"/admin/v1{path}", token=shop.api.admin_token)
    assert answer.status_code == 200, answer.text
    return exact(answer)


def last_change(shop: Shop) -> tuple[Any, ...]:
    """Who did what last."""
    (row,) = shop.harness.select(
        "select actor, action, kind from changes order by change_id desc limit 1"
    )
    return row


@pytest.fixture
def place(shop: Shop) -> str:
    """Where the pages of the shop's workspace are."""
    return f"{ROOT}/workspaces/{shop.profile_id}"


def test_a_form_that_lacks_fields_leaves_them_as_they_are(shop: Shop, operator: Visitor) -> None:
    address = f"{ROOT}/plans/_new"
    typed = {"slug": "gold", "name": "Gold", "credits_per_month": "5", "limits.api.hour": "7"}
    operator.send(operator.get(address), address, **typed)
    one = f"{ROOT}/plans/gold"
    csrf = operator.get(one).form(one).values["csrf"]
    operator.post(one, {"csrf": csrf, "name": ["Golden"]})
    after = asked(shop, "/plans/gold")
    assert (after["name"], after["credits_per_month"]) == ("Golden", 5)
    assert after["limits"]["api"]["hour"] == 7


def test_a_workspace_is_made_and_changed(shop: Shop, operator: Visitor) -> None:
    address = f"{ROOT}/workspaces/new"
    page = operator.send(
        operator.get(address), address, name="Cog", timezone="Asia/Tokyo", licences="3"
    )
    assert "The workspace was made." in page.text
    made = asked(shop, page.path.removeprefix(ROOT))
    assert (made["name"], made["timezone"], made["licences"]) == ("Cog", "Asia/Tokyo", 3)
    assert last_change(shop)[0].startswith("token:tok_")
    assert last_change(shop)[1:] == ("create", "workspace")
    terms = f"{page.path}/terms"
    changed = operator.send(
        operator.get(terms),
        terms,
        status="suspended",
        is_auto_top_up_credits_enabled=["on"],
        auto_top_up_credit="12.5",
        auto_top_up_balance_fall_below="3",
    )
    assert "The workspace was changed." in changed.text
    after = asked(shop, page.path.removeprefix(ROOT))
    assert (after["status"], after["name"]) == ("suspended", "Cog")
    assert (str(after["auto_top_up_credit"]), after["auto_top_up_balance_fall_below"]) == (
        "12.5",
        3,
    )
    # Only what differs is in the record of changes.
    ((detail,),) = shop.harness.select("select detail from changes order by change_id desc limit 1")
    assert "status" in detail
    assert "timezone" not in detail


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("name", "x" * 56, "1 to 55 printable characters"),
        ("timezone", "Mars/Base", "This must be"),
        ("licences", "many", "an integer"),
        ("licences", "0", "an integer of at least 1"),
        ("anchor_day", "32", "an integer of at most 31"),
        ("auto_top_up_credit", "1,5", "a number of credits"),
        ("owner_email", "nobody", "an email address"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_what_was_typed_is_kept(
    shop: Shop, operator: Visitor, field: str, value: str, text: str
) -> None:
    address = f"{ROOT}/workspaces/new"
    before = shop.harness.select("select count(*) from workspaces")
    filled = {"name": "Cog", "description": "Wheels & more", field: value}
    page = operator.send(operator.get(address), address, **filled)
    assert page.status in {400, 422}
    assert text in page.text
    assert f'id="{field}-wrong"' in page.response.text
    form = page.form(address)
    assert form.values[field] == [value]
    assert form.values["description"] == ["Wheels & more"]
    assert shop.harness.select("select count(*) from workspaces") == before


def test_users_are_made_up_to_the_licences_and_changed(
    shop: Shop, operator: Visitor, place: str
) -> None:
    address = f"{place}/users"
    full = operator.send(operator.get(address), address, nickname="Ann", email="ann@acme.example")
    assert full.status == 409
    shop.harness.call("workspaces.change", profile_id=shop.profile_id, licences=2)
    page = operator.send(operator.get(address), address, nickname="Ann", email="ann@acme.example")
    assert page.status == 200, page.text
    users = asked(shop, f"/workspaces/{shop.profile_id}/users")["data"]
    (user,) = (one for one in users if one["email"] == "ann@acme.example")
    assert user["nickname"] == "Ann"
    one = f"{address}/{user['user_id']}"
    operator.send(operator.get(one), one, nickname="Anna")
    after = asked(shop, f"/workspaces/{shop.profile_id}/users/{user['user_id']}")
    assert (after["nickname"], after["email"]) == ("Anna", "ann@acme.example")


def test_credits_are_given_once_and_only_when_that_was_confirmed(
    shop: Shop, operator: Visitor, place: str
) -> None:
    address = f"{place}/grants"
    grants = f"/workspaces/{shop.profile_id}/grants"
    form = operator.get(address)
    page = operator.send(
        form, address, credits="12.25", kind="promotion", expires_at="2026-06-01T00:00"
    )
    assert "Give these credits?" in page.text
    assert len(asked(shop, grants)["data"]) == 1
    for _ in range(2):
        done = operator.send(page, address)
        assert done.path == address
        assert "The credits were given." in done.text
    _, grant = asked(shop, grants)["data"]
    assert (str(grant["credits"]), grant["kind"]) == ("12.25", "promotion")
    assert grant["expires_at"] == "2026-06-01T00:00:00.000Z"
    assert last_change(shop)[1:] == ("create", "grant")


def test_a_wrong_amount_is_refused_at_its_field(operator: Visitor, place: str) -> None:
    address = f"{place}/grants"
    page = operator.send(operator.get(address), address, credits="0", confirmed="yes")
    assert page.status == 422
    assert "above 0" in page.text
    assert "credits-wrong" in page.response.text


def test_a_request_is_corrected(shop: Shop, operator: Visitor, place: str) -> None:
    (row,) = shop.use()
    address = f"{place}/corrections"
    request_id = format_uuid(row.query_log_id)
    link = f"{address}?request_id={request_id}"
    assert link in operator.get(f"{place}/logs/{request_id}").response.text
    asking = operator.send(
        operator.get(link),
        address,
        credits="-1.5",
        reason="Empty.",
    )
    assert "Correct this request?" in asking.text
    assert "The request was corrected." in operator.send(asking, address).text
    (made,) = asked(shop, f"/workspaces/{shop.profile_id}/corrections")["data"]
    assert (str(made["credits"]), made["reason"]) == ("-1.5", "Empty.")
    unknown = operator.send(
        operator.get(address),
        address,
        request_id="00000000-0000-0000-0000-000000000000",
        credits="1",
        reason="x",
        confirmed="yes",
    )
    assert unknown.status == 404
    assert "request_id-wrong" in unknown.response.text


def test_a_key_is_made_shown_once_rotated_and_revoked(
    shop: Shop, operator: Visitor, place: str
) -> None:
    address = f"{place}/keys/new"
    form = operator.get(address)
    made = operator.send(form, address, name="Nightly")
    secret = next(text for text in made.texts if text.startswith(KEY_PREFIX))
    assert secret not in operator.send(form, address, name="Nightly").response.text
    keys = asked(shop, f"/workspaces/{shop.profile_id}/keys")["data"]
    key_id = next(key["key_id"] for key in keys if key["name"] == "Nightly")
    assert shop.api.request("GET", "/user", key=secret).status_code == 200
    rotate = f"{place}/keys/{key_id}/rotate"
    rotated = operator.send(operator.get(rotate), rotate, overlap_seconds="0")
    assert rotated.status == 200
    assert shop.api.request("GET", "/user", key=secret).status_code == 401
    revoke = f"{place}/keys/{shop.key_id}/revoke"
    operator.send(operator.get(revoke), revoke)
    assert shop.api.request("GET", "/user", key=shop.key).status_code == 401


def test_a_plan_is_made_with_limits_and_prices_and_changed(shop: Shop, operator: Visitor) -> None:
    address = f"{ROOT}/plans/_new"
    prices = {"prices.people_search": "2.5", "limits.api.hour": "100", "limits.portal.month": "0"}
    page = operator.send(
        operator.get(address), address, slug="gold", name="Gold", credits_per_month="10", **prices
    )
    assert "The plan was made." in page.text
    plan = asked(shop, "/plans/gold")
    assert (plan["limits"]["api"]["hour"], plan["limits"]["api"]["day"]) == (100, None)
    assert plan["limits"]["portal"]["month"] == 0
    assert {slug: str(price) for slug, price in plan["prices"].items()} == {"people_search": "2.5"}
    one = f"{ROOT}/plans/gold"
    later = {"prices.people_redeem": "4", "valid_from": "2026-06-01T00:00", "limits.api.hour": ""}
    operator.send(operator.get(one), one, name="Gold 2", is_shadow=["on"], **later)
    after = asked(shop, "/plans/gold")
    assert (after["name"], after["is_shadow"]) == ("Gold 2", True)
    assert after["limits"]["api"]["hour"] is None
    assert after["limits"]["portal"]["month"] == 0
    assert [price["log_type"] for price in after["scheduled_prices"]] == ["people_redeem"]
    wrong = operator.send(operator.get(one), one, **{"limits.api.hour": "-1"})
    assert wrong.status == 400
    assert 'id="limits.api.hour-wrong"' in wrong.response.text


def test_a_log_type_is_made_and_its_price_changes_from_an_instant(
    shop: Shop, operator: Visitor
) -> None:
    address = f"{ROOT}/log-types/_new"
    filled = {"slug": "orders", "name": "Orders", "credits": "1", "path": "/orders/{id}"}
    page = operator.send(operator.get(address), address, **filled)
    assert "The log type was made." in page.text
    one = f"{ROOT}/log-types/orders"
    mark = operator.get(one).forms[-1].values["csrf"][0]
    price = {"csrf": mark, "credits": "2", "hold_credits": "1", "valid_from": "2026-06-01T00:00"}
    operator.post(one, price)
    made = asked(shop, "/log_types/orders")
    assert (made["credits"], made["path"]) == (1, "/orders/{id}")
    (scheduled,) = made["scheduled_prices"]
    assert (scheduled["credits"], scheduled["hold_credits"]) == (2, 2)
    assert scheduled["valid_from"] == "2026-06-01T00:00:00.000Z"
    operator.post(one, {"csrf": mark, "name": "All orders", "method": "get", "path": "/orders/*"})
    made = asked(shop, "/log_types/orders")
    assert (made["name"], made["method"], made["path"]) == ("All orders", "GET", "/orders/*")
    past = operator.post(one, {**price, "valid_from": "2020-01-01T00:00"})
    assert past.status == 422
    assert "a time that is not in the past" in past.text


def test_a_link_into_its_pages_is_shown_once(shop: Shop, operator: Visitor, place: str) -> None:
    address = f"{place}/link"
    form = operator.get(address)
    made = operator.send(form, address, role="manage")
    url = next(text for text in made.texts if "/dashboard/link#" in text)
    assert made.response.headers["cache-control"] == "no-store"
    again = operator.send(form, address, role="manage")
    assert url.partition("#")[2] not in again.response.text
    assert last_change(shop)[1:] == ("create", "link")


def test_a_token_is_made_shown_once_and_revoked(shop: Shop, operator: Visitor) -> None:
    address = f"{ROOT}/tokens"
    form = operator.get(address)
    made = operator.send(form, address, name="Gateway", scope="meter")
    secret = next(text for text in made.texts if text.startswith(TOKEN_PREFIX))
    assert secret not in operator.send(form, address, name="Gateway", scope="meter").response.text
    tokens = asked(shop, "/tokens")["data"]
    token_id = next(token["token_id"] for token in tokens if token["name"] == "Gateway")
    revoke = f"{address}/{token_id}/revoke"
    asking = operator.send(operator.get(address), revoke)
    assert "Revoke Gateway?" in asking.text
    operator.send(asking, revoke)
    tokens = asked(shop, "/tokens")["data"]
    assert next(t["revoked_at"] for t in tokens if t["token_id"] == token_id) is not None


def test_who_revokes_the_own_token_is_signed_out(shop: Shop, operator: Visitor) -> None:
    shop.harness.call("tokens.create", name="Second", scope="admin")
    address = f"{ROOT}/tokens"
    tokens = asked(shop, "/tokens")["data"]
    own = next(token["token_id"] for token in tokens if token["name"] != "Second")
    revoke = f"{address}/{own}/revoke"
    page = operator.send(operator.send(operator.get(address), revoke), revoke)
    assert page.path == f"{ROOT}/sign-in"
    assert operator.ask("GET", ROOT).status_code == 303


def test_an_audit_is_begun_and_runs_beside(shop: Shop, operator: Visitor) -> None:
    begun = []
    auditor = shop.api.context.auditor

    async def audit() -> None:
        begun.append(True)

    auditor._audit = audit
    address = f"{ROOT}/audit"
    assert operator.send(operator.get(address), address).path == address
    shop.api.run(auditor.ended())
    assert begun == [True]

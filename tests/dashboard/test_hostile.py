"""Hostile input: what is sent as a name, a form or an address is shown as text or refused."""

from __future__ import annotations

import re
import threading
from html.parser import HTMLParser
from urllib.parse import quote

import pytest

from farebox.core.identity import format_uuid
from farebox.core.request import Capture
from farebox.dashboard.operator import PAGES as OPERATOR_PAGES
from farebox.dashboard.site import NEXT_LENGTH_MAX
from farebox.dashboard.visit import Visit
from farebox.dashboard.workspace import PAGES as WORKSPACE_PAGES
from tests.dashboard.people import by_a_link, by_link, catch_up
from tests.support.shop import Shop
from tests.support.visitor import Page, Visitor

NEW = "/dashboard/keys/new"
SIGN_IN = "/dashboard/sign-in"
EVIL = "'\"><evil-tag onload=evil {{7*1910017}}{0}</script><!--&amp;"
QUERY = "&".join(
    f"{name}={quote(EVIL)}"
    for name in (
        "search",
        "status_codes",
        "start_date",
        "key",
        "log_type",
        "range",
        "page",
        "said",
        "cursor",
        "denied_by",
        "plan",
        "period",
        "request_id",
        "user",
        "order",
        "next",
    )
)


class Markup(HTMLParser):
    """The names of a page's elements and attributes."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.feed(page.response.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names |= {tag, *(name for name, _ in attrs)}


@pytest.fixture
def evil(shop: Shop) -> dict[str, object]:
    """The shop, with all that others may name named badly; what its addresses need."""
    harness, profile_id = shop.harness, shop.profile_id
    users = harness.directory.users_of(profile_id)
    harness.call("workspaces.change", profile_id=profile_id, name=EVIL[:55], description=EVIL)
    harness.call(
        "users.change",
        profile_id=profile_id,
        user_id=users[0].user_id,
        nickname=EVIL,
        email="\"'><evil-tag@x.test",
    )
    harness.call("log_types.change", slug="people_search", name=EVIL)
    harness.call("plans.change", slug="basic", name=EVIL)
    harness.call("keys.change", profile_id=profile_id, key_id=shop.key_id, name=EVIL)
    harness.call("tokens.create", name=EVIL, scope="meter")
    harness.call("alerts.create", profile_id=profile_id, kind="credits", thresholds=[1])
    harness.call("audits.keep", took_ms=5, requests=1, differences=0, detail="{}")
    row = shop.row(path=f"/{EVIL}", authentication_type=EVIL[:30])
    headers = '{"x-<evil-tag>\\"": "<evil-tag>"}'
    body = '{"a": "</pre></script><evil-tag>"}'
    harness.record([row], [Capture(profile_id, row.query_log_id, headers, body, EVIL)])
    catch_up(shop)
    ((alert_id,),) = harness.select("select alert_id from alerts")
    return {
        "profile_id": profile_id,
        "user_id": users[0].user_id,
        "audit_id": 1,
        "key_id": shop.key_id,
        "query_log_id": format_uuid(row.query_log_id),
        "alert_id": alert_id,
        "token_id": "tok_nobody",
        "slug": "basic",
    }


def test_no_name_and_no_query_becomes_part_of_a_page(
    shop: Shop, operator: Visitor, evil: dict[str, object]
) -> None:
    manager = by_link(shop)
    shown = [(manager, "/dashboard" + p.path) for p in WORKSPACE_PAGES if p.show]
    shown += [(operator, "/operator" + p.path) for p in OPERATOR_PAGES if p.show]
    for visitor, path in shown:
        of = evil | ({"slug": "people_search"} if "log-types" in path else {})
        for query in ("", f"?{QUERY}"):
            page = visitor.get(path.format(**of) + query)
            assert page.status in {200, 400}, path
            if page.response.headers["content-type"].startswith("text/html"):
                assert not {n for n in Markup(page).names if "evil" in n or n.startswith("on")}, (
                    path
                )
                assert "13370119" not in page.response.text, path


def test_no_name_becomes_a_formula_of_a_spreadsheet(
    shop: Shop, customer: Visitor, evil: dict[str, object]
) -> None:
    assert evil
    harness = shop.harness
    harness.call("keys.change", profile_id=shop.profile_id, key_id=shop.key_id, name="=cmd()")
    shop.use(1, path="=cmd()")
    catch_up(shop)
    for name in ("keys", "endpoints"):
        response = customer.ask("GET", f"/dashboard/breakdown/file?list={name}")
        assert not re.search(r'(^|,)"?=', response.text, re.MULTILINE)
        assert response.headers["content-disposition"].isascii()


@pytest.mark.parametrize("form_id", ["x", "0" * 300, "\0", "é", "0" * 31 + "\n"])
def test_an_id_of_a_form_that_is_none_of_ours_is_refused(shop: Shop, form_id: str) -> None:
    manager = by_link(shop)
    page = manager.send(manager.get(NEW), NEW, name="Kept", form_id=form_id)
    assert page.status == 400
    assert "the form can't be read" in page.text
    assert page.form(NEW).values["name"] == ["Kept"]
    assert len(shop.harness.directory.keys_of(shop.profile_id)) == 1


def test_half_of_a_form_takes_no_limit_off_a_key(shop: Shop) -> None:
    key_id, _ = shop.make_key(name="Bounded", credits_cap=5, ip_ranges=["192.0.2.0/24"])
    catch_up(shop)
    manager, path = by_link(shop), f"/dashboard/keys/{key_id}"
    csrf = manager.get(path).form(path).values["csrf"]
    assert manager.post(path, {"csrf": csrf}).status == 400
    sql = "select count(*) from changes where kind = 'key' and ref = ? and actor = ?"
    assert shop.harness.select(sql, key_id, by_a_link(shop)) == [(0,)]


@pytest.mark.parametrize("price", ["a lot", "1,5", "<b>"])
def test_a_price_that_is_none_is_told_at_its_field(operator: Visitor, price: str) -> None:
    path = "/operator/plans/_new"
    page = operator.send(
        operator.get(path),
        path,
        slug="gold",
        name="Gold",
        credits_per_month="1",
        **{"prices.people_search": price},
    )
    assert page.status == 422
    assert 'id="prices.people_search-wrong"' in page.response.text


def test_an_address_that_is_too_long_is_not_kept_for_after_the_sign_in(visitor: Visitor) -> None:
    long = visitor.ask("GET", f"/dashboard/logs?search={'x' * NEXT_LENGTH_MAX}")
    assert long.headers["location"] == f"{SIGN_IN}?next=%2Fdashboard"
    short = visitor.ask("GET", "/dashboard/logs?search=x")
    assert short.headers["location"] == f"{SIGN_IN}?next=%2Fdashboard%2Flogs%3Fsearch%3Dx"


@pytest.mark.parametrize("name", ["icon.svg", "nothing", "..%2f..%2fform.py", "%00", "x%0d%0ay"])
def test_an_asset_that_is_opened_by_itself_may_do_nothing(visitor: Visitor, name: str) -> None:
    response = visitor.ask("GET", f"/dashboard/assets/x/{name}")
    assert response.status_code in {200, 404}
    assert response.headers["content-security-policy"].startswith("default-src 'none';")
    assert response.headers["x-content-type-options"] == "nosniff"
    is_there = name == "icon.svg"
    assert ("immutable" in response.headers["cache-control"]) == is_there


def test_no_page_is_made_on_the_thread_that_decides(
    shop: Shop, operator: Visitor, evil: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    manager, made_on, page = by_link(shop), [], Visit.page

    def spied(visit: Visit, template: str, **values: object) -> object:
        made_on.append((template, threading.current_thread()))
        return page(visit, template, **values)  # type: ignore[arg-type]

    monkeypatch.setattr(Visit, "page", spied)
    for path in (p.path for p in WORKSPACE_PAGES if p.show):
        manager.get("/dashboard" + path.format(**evil))
    for path in (p.path for p in OPERATOR_PAGES if p.show):
        operator.get("/operator" + path.format(**evil))
    manager.send(manager.get(NEW), NEW)
    manager.post(NEW, {"csrf": "none"})
    grants = f"/operator/workspaces/{shop.profile_id}/grants"
    operator.send(operator.get(grants), grants, credits="1")
    stranger = Visitor(shop.api)
    stranger.send(stranger.get(SIGN_IN), SIGN_IN, key="none")
    stranger.send(stranger.get("/dashboard/link"), "/dashboard/link", token="none")
    assert len(made_on) > len(WORKSPACE_PAGES)
    assert not [name for name, thread in made_on if thread is threading.main_thread()]


def test_a_key_that_is_typed_into_a_search_leaves_the_address(
    shop: Shop, customer: Visitor
) -> None:
    page = customer.get(f"/dashboard/logs?search={shop.key}&range=7d")
    assert page.response.request.url.query == b"search=***&range=7d"
    assert shop.key not in page.response.text
    stranger = Visitor(shop.api).ask("GET", f"/dashboard/keys/{shop.key}")
    assert stranger.headers["location"] == "/dashboard/keys/***"


def test_a_key_that_is_typed_as_a_name_is_not_kept(shop: Shop) -> None:
    manager = by_link(shop)
    page = manager.send(manager.get(NEW), NEW, name=f"my {shop.key}")
    assert page.status == 422
    assert "This must be a text without a key, token or link in it." in page.text
    assert len(shop.harness.directory.keys_of(shop.profile_id)) == 1

"""Languages: no page says anything in English to who reads another language.

Every page with something on it and with nothing, every form with all of its fields wrong, what asks
before it is done and what tells that it was, and every way to be refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from farebox.contract.texts import LANGUAGE_TAGS, TRANSLATED, Language
from farebox.core.identity import format_uuid
from farebox.dashboard import operator, workspace
from farebox.dashboard.session import ROOTS, Area
from farebox.dashboard.site import Page as Declared
from tests.dashboard.people import by_link, catch_up
from tests.support.english import english_on
from tests.support.refused import note, refusal
from tests.support.shop import Shop
from tests.support.visitor import Page, Visitor, read_page

Fields = dict[str, Any]
WRONG = "\x00" + "?" * 3000
QUERIES = (
    "range=custom&start_date=x",
    "range=custom&start_date=2026-05-02&end_date=2026-05-01",
    "range=custom&start_date=2020-05-02&end_date=2026-05-01",
    "range=custom&start_date=2026-05-01&end_date=2026-05-02&by=hour&compare=on",
    "range=today&key=nobody&log_type=nothing",
    "range=last_90_days&unit=requests&compare=off",
    "status_codes=abc",
    "status=4&method=GET&search=nobody",
    "status=revoked",
    "page=9999",
    "search=nobody",
    "cursor=x",
    "hours=1",
    "all=on",
)
# What people type, by the name of its field; the rest stays as the form has it.
VALUES = {
    "credits": "1",
    "credits_cap": "7",
    "email": "ann@acme.example",
    "monthly_credits": "5",
    "name": "Gold",
    "nickname": "Ann",
    "reason": "Gold",
    "slug": "gold",
    "thresholds": "80, 100",
}
NOWHERE = (
    "/dashboard/nothing",
    "/dashboard/keys/nobody",
    "/dashboard/logs/00000000-0000-0000-0000-000000000000",
    "/dashboard/alerts/nobody/end",
    "/dashboard/usage/file?format=x",
    "/dashboard/breakdown/file?format=x",
    "/operator/nothing",
    "/operator/workspaces/99",
    "/operator/plans/nobodys",
    "/operator/log-types/nobodys",
    "/operator/audit/x",
)
AREAS: tuple[tuple[Area, tuple[Declared, ...]], ...] = (
    ("workspace", workspace.PAGES),
    ("operator", operator.PAGES),
)
# What gives a file is no page.
PATHS: list[tuple[Area, str, bool]] = [
    (area, page.path, page.send is not None)
    for area, pages in AREAS
    for page in pages
    if page.show and not page.path.endswith("/file")
]


class Reader:
    """Somebody who reads a language, holds every page against it, and notes what is English."""

    def __init__(self, shop: Shop, language: Language) -> None:
        self.language = language
        tag = LANGUAGE_TAGS[language]
        catch_up(shop)
        self.visitors: dict[Area, Visitor] = {
            "workspace": by_link(shop, language=tag),
            "operator": Visitor(shop.api, tag).sign_in_as_operator(shop.api.admin_token),
        }
        self.stranger = Visitor(shop.api, tag)
        self.found: dict[str, set[str]] = {}

    def look(self, page: Page, note: str = "") -> Page:
        """Look at a page."""
        assert page.status < 500, page.text
        if page.response.headers.get("content-type", "").startswith("text/html"):
            assert f'<html lang="{LANGUAGE_TAGS[self.language]}"' in page.response.text
            english = english_on(page, self.language)
            if english:
                self.found[f"{page.path} {note}"] = english
        return page

    def look_at_all(self, shop: Shop) -> Iterator[Page]:
        """Look at the pages of both areas; gives those with a form."""
        for area, path, has_form in PATHS:
            page = self.look(self.visitors[area].get(path_of(shop, area, path)))
            if has_form and page.path == path_of(shop, area, path):
                yield page


def path_of(shop: Shop, area: Area, path: str) -> str:
    """The address of a page for the shop's workspace."""
    logs = shop.harness.select("select query_log_id from requests limit 1")
    alerts = shop.harness.select("select alert_id from alerts limit 1")
    return ROOTS[area] + path.format(
        profile_id=shop.profile_id,
        user_id=shop.harness.directory.users_of(shop.profile_id)[0].user_id,
        audit_id=1,
        key_id=shop.key_id,
        query_log_id=format_uuid(logs[0][0]) if logs else "00000000-0000-0000-0000-000000000000",
        alert_id=alerts[0][0] if alerts else "alr_nobody",
        slug="basic" if path.startswith("/plans") else "people_search",
    )


def area_of(page: Page) -> Area:
    """The area that a page is of."""
    return "operator" if page.path.startswith(ROOTS["operator"]) else "workspace"


def fill(shop: Shop) -> None:
    """Something on every page."""
    call = shop.harness.call
    own: Fields = {"profile_id": shop.profile_id}
    shop.use(3)
    shop.use(status_code=404, credits_micro=0)
    shop.use(log_type_id=0, credits_micro=0)
    ((log_id,),) = shop.harness.select("select query_log_id from requests limit 1")
    terms: Fields = {"ip_ranges": ["192.0.2.0/24"], "log_type_slugs": ["people_search"]}
    correction: Fields = {"request_id": format_uuid(log_id), "credits": -1, "reason": "Gold"}
    alert: Fields = {"kind": "credits", "channel": None, "thresholds": [50, 100]}
    window: Fields = {"window_start_ms": 0, "window_end_ms": 86_400_000, "used": 1, "allowed": 2}
    price: Fields = {"valid_from": "2030-01-01T00:00:00Z", "credits": 9}
    call("keys.create", **own, name="", credits_cap=5, **terms)
    call("corrections.create", **own, **correction)
    call("grants.create", **own, credits=2.5, kind="topup")
    call("grants.create", **own, credits=1, kind="promotion", priority=3)
    call("log_types.change", slug="people_search", **price)
    alert_id = call("alerts.create", **own, **alert).alert_id
    crossing = {**own, **window, "alert_id": alert_id, "threshold_percent": 50, "user_id": None}
    call("alerts.fire", crossings=[crossing])
    reasons = ("hour", "key", "credits", "key_credits", "ip", "log_type", "unmapped", "plan")
    refused = [refusal(shop.profile_id, shop.key_id, denied_by=reason) for reason in reasons]
    others = (refusal(0, "", denied_by="key"), refusal(shop.profile_id, is_shadow=True))
    note(shop.harness, *refused, *others)
    call("audits.keep", took_ms=5, requests=1, differences=0, detail="{}")
    call("workspaces.change", profile_id=shop.other_profile_id, status="suspended")
    catch_up(shop)


@pytest.fixture(params=TRANSLATED)
def reader(request: pytest.FixtureRequest, shop: Shop) -> Iterator[Reader]:
    """Who reads each language; at the end, nothing that was seen may be English."""
    made = Reader(shop, request.param)
    yield made
    assert not made.found, "\n".join(f"{where}: {texts}" for where, texts in made.found.items())


def test_no_page_with_nothing_on_it_is_english(shop: Shop, reader: Reader) -> None:
    list(reader.look_at_all(shop))


def test_no_page_with_something_on_it_and_no_wrong_form_is_english(
    shop: Shop, reader: Reader
) -> None:
    fill(shop)
    # A form with all of its fields wrong, and with each of them alone.
    for page in list(reader.look_at_all(shop)):
        sent = [form for form in page.forms if form.action.partition("?")[0] == page.path]
        for form in (form for form in sent if form.method == "post"):
            names = set(form.values) - {"csrf", "form_id"}
            if not names:
                continue
            for wrong in [names, *({name} for name in names)]:
                values = {**form.values, **{name: [WRONG] for name in wrong}}
                reader.look(
                    reader.visitors[area_of(page)].post(page.path, values), f"{sorted(wrong)} wrong"
                )


def test_no_filter_and_no_page_of_a_list_is_english(shop: Shop, reader: Reader) -> None:
    fill(shop)
    for area, path, _ in PATHS:
        if "{query_log_id}" not in path:
            for query in QUERIES:
                reader.look(
                    reader.visitors[area].get(f"{path_of(shop, area, path)}?{query}"), query
                )


def test_no_answer_to_a_form_is_english(shop: Shop, reader: Reader) -> None:
    fill(shop)
    for page in list(reader.look_at_all(shop)):
        visitor = reader.visitors[area_of(page)]
        for form in page.forms:
            # The operator's own token is revoked by nobody here, and who looks stays signed in.
            if form.method != "post" or re.search(r"/(sign-\w+|revoke)(/|$)", form.action):
                continue
            typed = {name: [VALUES[name]] for name in form.values if name in VALUES}
            values = {**form.values, **typed}
            answer = reader.look(visitor.post(form.action, values), "sent")
            for asked in (one for one in answer.forms if "confirmed" in one.values):
                reader.look(visitor.post(asked.action, asked.values), "confirmed")
            reader.look(visitor.post(form.action, values), "sent again")
    revoked = f"/dashboard/keys/{shop.key_id}/revoke"
    manager = reader.visitors["workspace"]
    assert reader.look(manager.send(manager.get(revoked), revoked)).status == httpx.codes.OK


def test_nothing_that_signs_everyone_out_is_english(shop: Shop, reader: Reader) -> None:
    places: tuple[tuple[Area, str], ...] = (
        ("operator", f"/operator/workspaces/{shop.profile_id}"),
        ("workspace", "/dashboard"),
    )
    for area, place in places:
        visitor, path = reader.visitors[area], f"{place}/sign-out/everyone"
        if area == "workspace":
            # The operator's doing has ended it.
            reader.look(visitor.get(place), "ended")
            visitor = by_link(shop, language=LANGUAGE_TAGS[reader.language])
        asked = reader.look(visitor.send(visitor.get(place), path), "asked")
        (form,) = (one for one in asked.forms if "confirmed" in one.values)
        done = reader.look(visitor.post(path, form.values), "done")
        assert done.response.request.url.query == b"said=signed-out"


def test_no_refusal_is_english(shop: Shop, reader: Reader) -> None:
    fill(shop)
    stranger, tag = reader.stranger, LANGUAGE_TAGS[reader.language]
    for root in ROOTS.values():
        page = reader.look(stranger.get(f"{root}/sign-in"))
        wrong = {**page.forms[0].values, "key": ["x"], "token": ["x"]}
        reader.look(stranger.post(f"{root}/sign-in", wrong), "wrong")
        reader.look(stranger.post(f"{root}/sign-in", {"csrf": "x"}), "foreign")
        reader.look(stranger.post(f"{root}/sign-in", {"csrf": "x" * 70_000}), "large")
    page = reader.look(stranger.get("/dashboard/link"))
    reader.look(stranger.send(page, "/dashboard/link", token="lnk_x"), "wrong")
    page = stranger.get("/dashboard/sign-in")
    reader.look(stranger.send(page, "/dashboard/sign-in", key=shop.other_key), "suspended")
    for path in NOWHERE:
        visitor = reader.visitors["operator" if path.startswith("/operator") else "workspace"]
        assert reader.look(visitor.get(path)).status in {400, 404}
    put = reader.visitors["workspace"].ask("PUT", "/dashboard")
    reader.look(read_page(put, "/dashboard"), "put")
    for looker in (by_link(shop, "view", language=tag), Visitor(shop.api, tag).sign_in(shop.key)):
        for path in ("", "/keys", f"/keys/{shop.key_id}", "/alerts", "/keys/new"):
            page = reader.look(looker.get(f"/dashboard{path}"), "only to look")
        csrf = looker.get("/dashboard").form("/dashboard/sign-out").values["csrf"]
        reader.look(looker.post("/dashboard/alerts", {"csrf": csrf}), "only to look")


@pytest.mark.parametrize(
    "text", ["Sign in", "Nothing is left here", "Owes", "Credits a month", "credits left"]
)
def test_what_is_english_is_found(text: str) -> None:
    found = english_on(Page(httpx.Response(200, text=""), "/", texts=["概要", text]), "jp")
    assert found == ({text} if text != "Owes" else set())

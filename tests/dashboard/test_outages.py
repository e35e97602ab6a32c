"""Outages: the store, the recorder or a place in the queue is missing in the middle of a page."""

from __future__ import annotations

import asyncio
import re
import threading

import pytest

from farebox.dashboard.workspace import PAGES
from farebox.service.readers import WAITING_MAX
from farebox.store.contract import Reader
from tests.dashboard.people import by_a_link, by_link
from tests.support.shop import Shop
from tests.support.visitor import Page, Visitor

NEW = "/dashboard/keys/new"
READING = sorted(p.path for p in PAGES if p.show and p.needs == "session" and "{" not in p.path)
GRANTS = "/operator/workspaces/{}/grants"


def keys(shop: Shop) -> int:
    """How many keys the shop has."""
    sql = "select count(*) from keys where profile_id = ?"
    return int(shop.harness.select(sql, shop.profile_id)[0][0])


def is_told(page: Page) -> bool:
    """Whether a page says that it is a matter of time, and nothing of the inside."""
    assert "disk" not in page.response.text
    return page.status == 503 and bool(page.response.headers["retry-after"])


@pytest.mark.parametrize("path", READING)
def test_a_page_without_the_store_is_told_and_the_session_goes_on(shop: Shop, path: str) -> None:
    visitor = by_link(shop)
    shop.api.store.is_gone = True
    page = visitor.get(f"/dashboard{path}")
    assert is_told(page)
    assert "set-cookie" not in page.response.headers
    shop.api.store.is_gone = False
    assert visitor.get(f"/dashboard{path}").status == 200


@pytest.mark.parametrize("path", READING)
def test_a_page_that_finds_no_place_in_the_queue_is_told(shop: Shop, path: str) -> None:
    visitor, readers, is_free = by_link(shop), shop.api.context.readers, threading.Event()

    def wait(_: Reader) -> None:
        assert is_free.wait(30)

    async def fill() -> list[asyncio.Task[None]]:
        waiting = [asyncio.create_task(readers.run(wait)) for _ in range(WAITING_MAX)]
        await asyncio.sleep(0)
        return waiting

    async def end(waiting: list[asyncio.Task[None]]) -> None:
        is_free.set()
        await asyncio.gather(*waiting)

    waiting = shop.api.run(fill())
    page = visitor.get(f"/dashboard{path}")
    shop.api.run(end(waiting))
    assert is_told(page)
    assert visitor.get(f"/dashboard{path}").status == 200


def test_a_form_that_met_no_recorder_comes_back_as_it_was_sent_and_counts_once(shop: Shop) -> None:
    manager, before = by_link(shop), keys(shop)
    first = manager.get(NEW)
    shop.api.store.is_recorder_gone = True
    page = manager.send(first, NEW, name="Nightly", credits_cap="12")
    assert is_told(page)
    again = page.form(NEW)
    assert again.values["name"] == ["Nightly"]
    assert again.values["credits_cap"] == ["12"]
    # It may have been carried out for all one knows: with its id it isn't a second time.
    assert again.values["form_id"] == first.form(NEW).values["form_id"]
    assert keys(shop) == before
    shop.api.store.is_recorder_gone = False
    assert re.search(r"fbx_\w{38}", manager.send(page, NEW).text)
    assert keys(shop) == before + 1


def test_a_grant_that_met_no_recorder_is_given_once(shop: Shop, operator: Visitor) -> None:
    path = GRANTS.format(shop.profile_id)
    shop.api.store.is_recorder_gone = True
    page = operator.send(operator.get(path), path, credits="7.5", confirmed="yes")
    assert is_told(page)
    assert page.form(path).values["credits"] == ["7.5"]
    shop.api.store.is_recorder_gone = False
    for _ in range(2):
        assert operator.send(page, path, confirmed="yes").status == 200
    sql = "select count(*) from grants where profile_id = ? and kind = 'topup'"
    assert shop.harness.select(sql, shop.profile_id) == [(1,)]


def test_a_key_is_shown_even_if_the_store_goes_right_after_it_was_made(shop: Shop) -> None:
    manager = by_link(shop)
    page = manager.get(NEW)
    shop.api.store.is_going = True
    made = manager.send(page, NEW, name="Lucky")
    assert made.status == 200
    assert re.search(r"fbx_\w{38}", made.text)


def test_a_form_that_is_being_carried_out_is_told_so_and_keeps_its_id(shop: Shop) -> None:
    manager = by_link(shop)
    first = manager.get(NEW)
    form_id = first.form(NEW).values["form_id"][0]
    link = shop.api.context.link
    with link._in_flight_once(by_a_link(shop), form_id):
        page = manager.send(first, NEW, name="Twice")
    assert page.status == 409
    assert "This form is being carried out already." in page.text
    assert page.form(NEW).values["form_id"] == [form_id]


def test_what_was_typed_while_the_store_was_gone_can_be_sent_again(
    shop: Shop, operator: Visitor
) -> None:
    path = "/operator/log-types/_new"
    first = operator.get(path)
    shop.api.store.is_gone = True
    page = operator.send(first, path, slug="late", name="Late & slow", credits="2")
    assert is_told(page)
    shop.api.store.is_gone = False
    assert operator.send(page, path).path == "/operator/log-types"
    assert shop.harness.select("select name from log_types where slug = 'late'") == [
        ("Late & slow",)
    ]


def test_no_secret_and_no_form_of_another_site_is_offered_again(
    shop: Shop, operator: Visitor
) -> None:
    path = "/operator/log-types/_new"
    first, sign_in = operator.get(path), operator.get("/operator/sign-in")
    shop.api.store.is_gone = True
    for page in (
        operator.send(first, path, slug="late", csrf="0" * 32),
        operator.send(sign_in, "/operator/sign-in", token=shop.api.admin_token),
    ):
        assert is_told(page)
        assert not [form for form in page.forms if form.action != "/operator/sign-out"]
        assert shop.api.admin_token not in page.response.text

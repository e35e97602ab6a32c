"""The operator's pages in a browser: all of them, and a customer made from nothing to the gate."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from farebox.contract.texts import LANGUAGE_TAGS, LANGUAGES, Language
from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import OpenPage
from tests.browser.visiting import assert_fits, sign_in_operator
from tests.browser.world import World
from tests.support.waiting import until

LOCALES: dict[Language, str] = {"en": "en-US", "cn": "zh-CN", "ko": "ko-KR", "jp": "ja-JP"}
DRAWN = "JSON.parse(document.querySelector('figure script').textContent).series[0].values"
PHONE = {"width": 360, "height": 740}
TOP = (
    "",
    "/workspaces",
    "/workspaces/new",
    "/plans",
    "/plans/growth",
    "/log-types",
    "/log-types/people_search",
    "/refusals",
    "/audit",
    "/processes",
    "/tokens",
    "/settings",
)
OF_ONE = (
    "",
    "/terms",
    "/users",
    "/keys",
    "/grants",
    "/corrections",
    "/statement",
    "/ledger",
    "/refusals",
    "/link",
)


def pages_of(world: World) -> Iterator[str]:
    """The addresses of all pages, with Acme for the workspace."""
    yield from (f"{world.url}/operator{path}" for path in TOP)
    place = f"{world.url}/operator/workspaces/{world.acme.profile_id}"
    yield from (place + path for path in OF_ONE)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_can_be_read_by_everyone(open_page: OpenPage, world: World, theme: str) -> None:
    page = open_page(color_scheme=theme)
    sign_in_operator(page, world)
    for address in pages_of(world):
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert_accessible(page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_is_wider_than_a_phone_in_any_language(
    open_page: OpenPage, world: World, language: Language
) -> None:
    page = open_page(locale=LOCALES[language], viewport=PHONE)
    sign_in_operator(page, world)
    for address in pages_of(world):
        page.goto(address)
        expect(page.locator("html")).to_have_attribute("lang", LANGUAGE_TAGS[language])
        assert_fits(page)


def test_a_customer_is_made_from_nothing_to_the_gate(page: Page, world: World) -> None:
    sign_in_operator(page, world)
    page.get_by_role("link", name="Workspaces", exact=True).click()
    page.get_by_role("link", name="Make a workspace").click()
    page.get_by_label("Name", exact=True).fill("Cog & Co")
    page.get_by_label("Plan", exact=True).select_option("growth")
    page.get_by_label("Timezone").fill("Asia/Tokyo")
    page.get_by_role("button", name="Make the workspace").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cog & Co")
    place = page.url.partition("?")[0]

    page.get_by_role("link", name="Grants").click()
    page.get_by_label("Credits", exact=True).fill("12.5")
    page.get_by_role("button", name="Give credits").click()
    page.get_by_role("dialog").get_by_role("button", name="Give credits").click()
    expect(page.locator("#grants tbody tr")).to_have_count(2)
    page.goto(place)
    expect(page.locator("#credits-left")).to_have_text("20,012.5")

    page.get_by_role("link", name="API keys").click()
    page.get_by_role("link", name="Make a key").first.click()
    page.get_by_label("Name").fill("Production")
    page.get_by_role("button", name="Make the key").click()
    secret = page.locator("#secret").inner_text()
    asked = {"key": secret, "log_type": "people_search"}
    answer = world.server.call("POST", "/v1/authorize", asked).json()
    assert answer["allowed"], answer

    page.goto(f"{place}/link")
    page.get_by_label("It lets one").select_option("manage")
    page.get_by_role("button", name="Make the link").click()
    url = page.locator("#secret").inner_text()
    page.goto(url)
    expect(page).to_have_url(re.compile(r"/dashboard$"))
    expect(page.locator("#credits-left")).to_contain_text("20,0")


def test_what_comes_in_is_drawn_with_the_numbers_of_its_table(page: Page, world: World) -> None:
    sign_in_operator(page, world)
    expect(page.locator("figure[data-chart]")).to_have_attribute("data-chart", "drawn")
    drawn = page.evaluate(DRAWN)
    page.get_by_text("As a table").click()
    cells = page.locator("#ingest tbody tr td:nth-child(2)").all_inner_texts()
    assert [int(cell.replace(",", "")) for cell in cells] == drawn
    assert sum(drawn) > 0


def test_an_audit_that_is_begun_here_is_told_here(page: Page, world: World) -> None:
    sign_in_operator(page, world)
    page.goto(f"{world.url}/operator/audit")
    before = page.locator("#audits tbody tr").count()
    page.get_by_role("button", name="Audit now").click()

    def has_ended() -> bool:
        page.goto(f"{world.url}/operator/audit")
        is_running = page.get_by_role("button", name="Audit now").is_disabled()
        return not is_running and page.locator("#audits tbody tr").count() > before

    until(has_ended)
    expect(page.locator("p.note")).to_contain_text("The books agree.")
    page.locator("#audits tbody a").first.click()
    expect(page.locator("#checks")).to_be_visible()
    assert_accessible(page)

"""The operator's pages in a browser: a customer is made from nothing to the gate."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.visiting import sign_in_operator
from tests.browser.world import World
from tests.support.waiting import until

DRAWN = "JSON.parse(document.querySelector('figure script').textContent).series[0].values"


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
    page.get_by_text("Show as a table").click()
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

"""The sign-in and the overview: in every language, in light and dark, on a phone, by keyboard."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import OpenPage
from tests.browser.visiting import (
    assert_fits,
    await_chart,
    chart_titles,
    point_at,
    sign_in,
    sign_in_operator,
)
from tests.browser.watch import Watch
from tests.browser.world import World

# The browser's language, the page's, and the page's heading.
LANGUAGES = {
    "en-US": ("en", "Overview"),
    "zh-CN": ("zh-Hans", "概览"),
    "ko-KR": ("ko", "개요"),
    "ja-JP": ("ja", "概要"),
}
PHONE = {"width": 360, "height": 740}


@pytest.mark.parametrize("locale", LANGUAGES)
def test_a_phone_shows_all_in_the_language_of_its_browser(
    open_page: OpenPage, world: World, locale: str
) -> None:
    page = open_page(locale=locale, viewport=PHONE)
    tag, heading = LANGUAGES[locale]
    page.goto(f"{world.url}/dashboard/sign-in")
    assert_fits(page)
    sign_in(page, world)
    expect(page.locator("html")).to_have_attribute("lang", tag)
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    await_chart(page)
    assert_fits(page)


def test_a_language_that_was_chosen_is_kept(page: Page, world: World) -> None:
    sign_in(page, world)
    page.get_by_role("link", name="한국어").click()
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    assert page.url == f"{world.url}/dashboard"
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "ko")


def test_a_theme_that_was_chosen_is_kept_and_both_can_be_read(page: Page, world: World) -> None:
    page.goto(f"{world.url}/dashboard/sign-in")
    assert_accessible(page)
    sign_in(page, world)
    await_chart(page)
    assert_accessible(page)
    page.get_by_role("link", name="Dark").click()
    page.wait_for_selector("html[data-theme=dark]")
    await_chart(page)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(int(part) for part in re.findall(r"\d+", ground)[:3]) < 64
    assert_accessible(page)
    page.reload()
    page.wait_for_selector("html[data-theme=dark]")


def test_the_chart_of_the_overview_tells_the_numbers_of_the_api(page: Page, world: World) -> None:
    sign_in(page, world)
    titles = chart_titles(page)
    last = world.today()
    first = last - timedelta(days=len(titles) - 1)
    asked = {"start_date": str(first), "end_date": str(last), "fill_gaps": True}
    report = world.ask("/api_keys/usage/daily", asked)
    # The days around a change of time, as long as it isn't farther back than the overview looks.
    for day in (last, last - timedelta(days=1), max(first, world.changed_on)):
        place = (day - first).days
        told = point_at(page, titles[place])
        assert number(told["Total"]) == Decimal(str(report["series"][place]["credits"]))


def number(text: str) -> Decimal:
    """A number as English shows it."""
    return Decimal(text.replace(",", ""))


def test_a_wrong_key_is_refused_and_the_page_says_so(
    page: Page, world: World, watch: Watch
) -> None:
    watch.expect("status of 4")
    page.goto(f"{world.url}/dashboard/sign-in")
    page.get_by_label("API key").fill("fb_live_nobody")
    page.keyboard.press("Enter")
    expect(page.locator("[aria-invalid=true], [role=alert]").first).to_be_visible()
    assert_accessible(page)


def test_the_operator_signs_in_with_the_admin_token(page: Page, world: World) -> None:
    sign_in_operator(page, world)
    assert_accessible(page)


def test_a_link_that_is_pasted_where_a_link_was_open_signs_in(page: Page, world: World) -> None:
    made = world.server.make(f"/workspaces/{world.acme.profile_id}/links", {"role": "view"})
    page.goto(f"{world.url}/dashboard/link")
    # The same page but for what follows the `#`, so nothing is loaded.
    page.goto(made["url"])
    page.wait_for_url(f"{world.url}/dashboard")

"""Other sites over https: the one that is named shows the pages in a frame, and they work there.

Browsers keep such a frame's cookies apart for each site that shows it, or keep none: both ways are
tried. What another site shows over http is told in test_frames.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.portal import (
    PROVIDER,
    STRANGER,
    USAGE,
    Portal,
    block_third_party_cookies,
    running_portal,
)
from tests.browser.watch import Watch


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The sites that these tests look at."""
    with running_portal(tmp_path_factory.mktemp("portal")) as made:
        yield made


@pytest.fixture(params=["third-party cookies", "no third-party cookies"])
def secure_page(request: pytest.FixtureRequest, open_page: OpenPage) -> Page:
    """A page of a browser that takes the tests' certificate."""
    page = open_page(ignore_https_errors=True)
    if request.param == "no third-party cookies":
        block_third_party_cookies(page)
    return page


def heading(inside: FrameLocator, text: str) -> None:
    """Wait for a page by its heading."""
    expect(inside.get_by_role("heading", level=1)).to_have_text(text)


def test_the_pages_work_in_a_frame_of_the_site_that_is_named(
    secure_page: Page, portal: Portal, watch: Watch
) -> None:
    # There the browser leaves it to the reader where to write.
    watch.expect("Blocked autofocusing on a <input>")
    page, name = secure_page, f"Key {len(portal.key_names())}"
    page.goto(portal.put(PROVIDER, portal.link()))
    inside = page.frame_locator("iframe")
    # The link signs in.
    heading(inside, "Overview")
    expect(inside.get_by_text("Signed in to view and manage")).to_be_visible()
    # A form is carried out.
    inside.get_by_role("link", name="API keys").click()
    inside.get_by_role("link", name="Make a key").first.click()
    inside.get_by_label("Name").fill(name)
    inside.get_by_role("button", name="Make the key").click()
    expect(inside.locator("#secret")).to_be_visible()
    assert name in portal.key_names()
    # A language and a theme stay as they were chosen, on the next page and the next day.
    inside.get_by_role("link", name="日本語").click()
    inside.get_by_role("link", name="ダーク").click()
    inside.get_by_role("link", name="使用状況").click()
    heading(inside, "使用状況")
    expect(inside.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    heading(inside, "概要")
    expect(inside.locator("html")).to_have_attribute("data-theme", "dark")
    # Signing out ends it.
    inside.get_by_role("button", name="サインアウト", exact=True).click()
    expect(inside.get_by_label("API キー")).to_be_visible()


def test_no_cookie_of_a_frame_is_seen_outside_of_it_or_on_another_site(
    secure_page: Page, portal: Portal
) -> None:
    page = secure_page
    page.goto(portal.put(PROVIDER, f"{portal.link()}"))
    inside = page.frame_locator("iframe")
    heading(inside, "Overview")
    inside.get_by_role("link", name="한국어").click()
    heading(inside, "개요")
    cookies = page.context.cookies()
    assert {cookie["name"] for cookie in cookies} == {"farebox_workspace", "farebox_lang"}
    for cookie in cookies:
        assert cookie["partitionKey"] == f"https://{PROVIDER}"
        assert (cookie["sameSite"], cookie["secure"], cookie["httpOnly"]) == ("None", True, True)
    page.goto(f"{portal.url(USAGE)}/dashboard")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to see your usage")


def test_a_session_that_was_ended_is_told_so_in_its_frame(
    secure_page: Page, portal: Portal, watch: Watch
) -> None:
    page, link = secure_page, portal.link()
    page.goto(portal.put(PROVIDER, link))
    inside = page.frame_locator("iframe")
    heading(inside, "Overview")
    portal.end_links()
    inside.get_by_role("link", name="Usage").click()
    expect(inside.get_by_role("status")).to_have_text("The sign-in has ended; sign in again.")
    watch.expect("Blocked autofocusing on a <input>")
    watch.expect("status of 401")
    page.reload()
    heading(inside, "This link doesn't work any more")
    expect(inside.get_by_text("The link was revoked.")).to_be_visible()


def test_the_pages_work_outside_of_a_frame_too(secure_page: Page, portal: Portal) -> None:
    page = secure_page
    page.goto(portal.link("view"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    page.get_by_role("link", name="简体中文").click()
    page.get_by_role("link", name="日志").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("日志")
    page.get_by_role("button", name="退出登录").click()
    page.goto(f"{portal.url(USAGE)}/dashboard")
    expect(page).to_have_url(f"{portal.url(USAGE)}/dashboard/sign-in?next=%2Fdashboard")


@pytest.mark.parametrize("way", ["by itself", "around the site that is named"])
def test_a_site_that_is_not_named_gets_nothing(
    secure_page: Page, portal: Portal, watch: Watch, way: str
) -> None:
    watch.expect("frame-ancestors")
    page, sent = secure_page, []
    page.on("request", lambda request: sent.append(request.method))
    shown = portal.link()
    if way != "by itself":
        shown = portal.put(PROVIDER, shown, name="inner.html")
    with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        page.goto(portal.put(STRANGER, shown))
    innermost = page.frames[-1]
    expect(innermost.get_by_role("heading")).to_have_count(0)
    assert "Acme" not in innermost.content()
    # Nothing of the page ran, so nobody was signed in.
    assert "POST" not in sent

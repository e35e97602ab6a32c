"""Frames: a provider's own site may show a workspace's pages, if it is named, and nobody else."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import Site
from tests.browser.watch import Watch
from tests.browser.world import World

# The same server by another name is another site.
STRANGER, NAMED = "localhost", "127.0.0.1"


def link_to(world: World, role: str) -> str:
    """A link to Acme's pages, as the provider makes one."""
    made = world.server.make(f"/workspaces/{world.acme.profile_id}/links", {"role": role})
    link: str = made["url"]
    return link


def frame(address: str) -> str:
    """The body of a page that shows another."""
    return f'<iframe title="Usage" width="900" height="600" src="{address}"></iframe>'


def test_a_link_opens_the_workspace_and_leaves_its_token_nowhere(page: Page, world: World) -> None:
    page.goto(link_to(world, "manage"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    expect(page.get_by_text("Signed in to view and manage")).to_be_visible()
    assert page.url == f"{world.url}/dashboard"
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    page.go_back()
    assert "lnk_" not in page.evaluate("location.href + document.documentElement.outerHTML")


def test_a_site_that_is_named_shows_the_pages_in_a_frame(
    page: Page, world: World, site: Site
) -> None:
    page.goto(site.put(frame(link_to(world, "view"))))
    inside = page.frame_locator("iframe")
    expect(inside.get_by_role("heading", level=1)).to_have_text("Overview")
    inside.get_by_role("link", name="日本語").click()
    expect(inside.get_by_role("heading", level=1)).to_have_text("概要")


@pytest.mark.parametrize(
    ("host", "path"), [(STRANGER, "/dashboard/sign-in"), (NAMED, "/operator/sign-in")]
)
def test_no_other_site_shows_a_page_and_none_shows_the_operators(
    page: Page, world: World, site: Site, watch: Watch, host: str, path: str
) -> None:
    watch.expect("frame-ancestors")
    address = site.put(frame(world.url + path)).replace(NAMED, host)
    with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        page.goto(address)
    expect(page.frame_locator("iframe").get_by_role("heading")).to_have_count(0)

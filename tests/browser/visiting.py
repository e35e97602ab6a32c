"""Visiting: signing in as people do, and what every page must hold."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.world import World

TOO_WIDE = """() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  const wide = [...document.body.querySelectorAll("*")]
    .filter((element) => element.getBoundingClientRect().right > room + 1)
    .map((element) => element.outerHTML.slice(0, 120));
  return wide.length ? wide : ["the page"];
}"""


def sign_in(page: Page, world: World, key: str | None = None) -> None:
    """Sign in with an API key, by default Acme's first, and come to the overview."""
    page.goto(f"{world.url}/dashboard/sign-in")
    page.locator("input[name=key]").fill(key or world.acme.key)
    page.locator("input[name=key]").press("Enter")
    expect(page).to_have_url(re.compile(r"/dashboard$"))


def sign_in_operator(page: Page, world: World) -> None:
    """Sign in with the admin token, and come to the operator's overview."""
    page.goto(f"{world.url}/operator/sign-in")
    page.locator("input[name=token]").fill(world.admin_token)
    page.locator("input[name=token]").press("Enter")
    expect(page).to_have_url(re.compile(r"/operator$"))


def assert_fits(page: Page) -> None:
    """Fail if the page must be scrolled sideways; what is too wide is named."""
    wide = page.evaluate(TOO_WIDE)
    assert not wide, "\n".join([f"{page.url} is too wide:", *wide])

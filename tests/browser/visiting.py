"""Visiting: signing in as people do, and what every page must hold."""

from __future__ import annotations

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


TITLES = "JSON.parse(document.querySelector('figure[data-chart] script').textContent).titles"
AXIS_LABELS_PX = (32, 20, 44, 56)


def await_chart(page: Page) -> None:
    """Wait until the page's chart is drawn."""
    page.wait_for_selector("figure[data-chart=drawn]")


def chart_titles(page: Page) -> list[str]:
    """What the places on the axis of the page's chart are called at length; it is drawn then."""
    await_chart(page)
    titles: list[str] = page.evaluate(TITLES)
    return titles


def point_at(page: Page, title: str) -> dict[str, str]:
    """Point at a place on the axis of the page's chart: the numbers it tells, by their names."""
    titles = chart_titles(page)
    canvas = page.locator(".chart-box canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    told = page.locator(".chart-tip-title")
    for left in AXIS_LABELS_PX:
        step = (box["width"] - left) / len(titles)
        x = box["x"] + left + step * (titles.index(title) + 0.5)
        page.mouse.move(x, box["y"] + box["height"] / 2)
        expect(told).to_be_visible()
        if told.inner_text() == title:
            break
    expect(told).to_have_text(title)
    rows = page.locator(".chart-tip-row, .chart-tip-total").all_inner_texts()
    return dict(row.split("\n") for row in rows)


def sign_in(page: Page, world: World, key: str | None = None) -> None:
    """Sign in with an API key, by default Acme's first, and come to the overview."""
    page.goto(f"{world.url}/dashboard/sign-in")
    page.locator("input[name=key]").fill(key or world.acme.key)
    page.locator("input[name=key]").press("Enter")
    page.wait_for_url(f"{world.url}/dashboard")


def sign_in_by_link(page: Page, world: World, role: str = "manage") -> None:
    """Come to Acme's overview by a link of the provider."""
    made = world.server.make(f"/workspaces/{world.acme.profile_id}/links", {"role": role})
    page.goto(made["url"])
    page.wait_for_url(f"{world.url}/dashboard")


def sign_in_operator(page: Page, world: World) -> None:
    """Sign in with the admin token, and come to the operator's overview."""
    page.goto(f"{world.url}/operator/sign-in")
    page.locator("input[name=token]").fill(world.admin_token)
    page.locator("input[name=token]").press("Enter")
    page.wait_for_url(f"{world.url}/operator")


def assert_fits(page: Page) -> None:
    """Fail if the page must be scrolled sideways; what is too wide is named."""
    wide = page.evaluate(TOO_WIDE)
    assert not wide, "\n".join([f"{page.url} is too wide:", *wide])

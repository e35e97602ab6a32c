"""Every page that is reached by links: it can be used by all, on a phone, in every language.

The pages are found as a visitor finds them, so a page that nothing leads to is found as missing,
and a link that leads nowhere as broken. A new page is looked at without a word here. What can be
unfolded is unfolded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from farebox.dashboard import operator, workspace
from farebox.dashboard.session import ROOTS, Area
from farebox.dashboard.site import Page as Declared
from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import OpenPage
from tests.browser.visiting import assert_fits, sign_in_by_link, sign_in_operator
from tests.browser.world import World

PHONE = {"width": 360, "height": 740}
AREAS: dict[Area, tuple[tuple[Declared, ...], Callable[[Page, World], None]]] = {
    "workspace": (workspace.PAGES, sign_in_by_link),
    "operator": (operator.PAGES, sign_in_operator),
}
# Who is signed in needs them no more; files are no pages.
NOT_LOOKED_FOR = re.compile(r"^/(sign-in|link)$|/file$")
LINKS = """elements => elements
  .filter((element) => !element.hasAttribute("download"))
  .map((element) => (element.href ?? element.action).split("#")[0])"""
UNFOLD = "elements => elements.forEach((element) => { element.open = true; })"
OK = 200


def visit_all(page: Page, world: World, area: Area) -> Iterator[str]:
    """Visit each page of an area once, by the links of the others; gives what is shown by then."""
    declared = {one.path: pattern_of(one) for one in AREAS[area][0] if one.show is not None}
    root = world.url + ROOTS[area]
    missing = {path for path in declared if not NOT_LOOKED_FOR.search(path)}
    waiting, seen = [root], {root}
    while waiting:
        address = waiting.pop(0)
        path = urlsplit(address).path.removeprefix(ROOTS[area])
        # As the server does: the first that fits.
        found = next((one for one, like in declared.items() if like.fullmatch(path)), None)
        if found not in missing:
            continue
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == OK, f"{address}: {answer.status}"
        missing.remove(found)
        yield found
        # Where a form goes, there may be a page that asks first.
        links = page.eval_on_selector_all("nav a[href], main a[href], main form[action]", LINKS)
        new = [link for link in dict.fromkeys(links) if link.startswith(root) and link not in seen]
        waiting += new
        seen.update(new)
    assert not missing, f"no link leads to {sorted(missing)}"


def pattern_of(page: Declared) -> re.Pattern[str]:
    """What the addresses of a page look like."""
    return re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(page.path)))


def check_all(page: Page, world: World, area: Area, *checks: Callable[[Page], None]) -> None:
    """Run checks on every page of an area; all that fail are told together."""
    AREAS[area][1](page, world)
    failures = []
    for _ in visit_all(page, world, area):
        page.eval_on_selector_all("details", UNFOLD)
        for check in checks:
            try:
                check(page)
            except AssertionError as failure:
                failures.append(str(failure))
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("locale", ["zh-CN", "ko-KR", "ja-JP"])
@pytest.mark.parametrize("area", AREAS)
def test_no_page_is_wider_than_a_phone(
    open_page: OpenPage, world: World, area: Area, locale: str
) -> None:
    check_all(open_page(locale=locale, viewport=PHONE), world, area, assert_fits)


@pytest.mark.parametrize("area", AREAS)
def test_every_page_can_be_used_on_a_phone(open_page: OpenPage, world: World, area: Area) -> None:
    check_all(open_page(viewport=PHONE), world, area, assert_fits, assert_accessible)


@pytest.mark.parametrize("area", AREAS)
def test_every_page_can_be_read_in_the_dark(open_page: OpenPage, world: World, area: Area) -> None:
    check_all(open_page(color_scheme="dark"), world, area, assert_accessible)

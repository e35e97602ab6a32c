"""The pages in a real browser: Debian's Chromium, which Playwright drives.

    page          a new page, watched: it fails the test if it does what no page may (watch.py)
    open_page     the same with options of a context: open_page(locale="ko-KR", color_scheme="dark")
    watch         watch.expect("status of 403") where a test means to see an error
    world         a real server with workspaces whose calls are known (world.py)
    site          pages that a test writes, with the real scripts and styles (site.py)

`assert_accessible(page)` runs axe-core; `sign_in(page, world)` signs in with a key, and
`sign_in_operator(page, world)` with the admin token; `assert_fits(page)` finds what is too wide;
`point_at(page, title)` reads the numbers of a chart (visiting.py).
Browser and server are started once by each worker that runs such tests, at first use. A page costs
a quarter of a second, a run of axe-core half of one. Tests wait for what Playwright can wait for,
never for time.

A page's zone isn't that of the workspaces, so a date that the browser has made would be wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from tests.browser.site import Site
from tests.browser.watch import Watch
from tests.browser.world import World, running_world

# The first is the same Chromium without windows, and needs half the time.
CHROMIUMS = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
MISSING = "these tests need Debian's Chromium: apt-get install chromium-headless-shell"
# Names for sites of the tests' own; nobody else's end like this.
ARGUMENTS = ("--host-resolver-rules=MAP *.test 127.0.0.1",)
ACTION_MS_MAX = 15_000
DEFAULTS: dict[str, Any] = {
    "locale": "en-US",
    "permissions": ["clipboard-read", "clipboard-write"],
    "reduced_motion": "reduce",
    "timezone_id": "Pacific/Auckland",
    "viewport": {"width": 1280, "height": 800},
}

# A busy machine is no failure.
expect.set_options(timeout=ACTION_MS_MAX)

OpenPage = Callable[..., Page]


def find_chromium() -> Path | None:
    """The browser's program, if it is installed."""
    return next((path for path in CHROMIUMS if path.exists()), None)


@pytest.fixture(scope="session")
def _playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        _pause()
        yield playwright
        _resume(playwright)


@pytest.fixture(scope="session")
def browser(_playwright: Playwright) -> Iterator[Browser]:
    """The browser of this worker."""
    chromium = find_chromium()
    if chromium is None:
        pytest.fail(MISSING, pytrace=False)
    _resume(_playwright)
    with _playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS) as browser:
        _pause()
        yield browser
        _resume(_playwright)
    _pause()


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world that tests look at; who changes something makes a workspace of its own."""
    with running_world(tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """A server of pages that tests write."""
    with Site() as made:
        yield made


@pytest.fixture
def watch() -> Watch:
    """What the pages of this test have done."""
    return Watch()


@pytest.fixture
def open_page(_playwright: Playwright, browser: Browser, watch: Watch) -> Iterator[OpenPage]:
    """A maker of pages, each in a context of its own; its arguments are those of a context."""
    _resume(_playwright)
    contexts = []

    def open_one(**options: object) -> Page:
        context = browser.new_context(**{**DEFAULTS, **options})
        context.set_default_timeout(ACTION_MS_MAX)
        watch.over(context)
        contexts.append(context)
        return context.new_page()

    yield open_one
    for context in contexts:
        context.close()
    _pause()
    watch.check()


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """A page of an ordinary browser."""
    return open_page()


def _resume(playwright: Playwright) -> None:
    """Give Playwright, whose loop is only halted, this thread's mark of a running loop."""
    asyncio._set_running_loop(playwright._loop)


def _pause() -> None:
    """Take the mark away: tests of other rooms run loops of their own on this thread."""
    asyncio._set_running_loop(None)

"""The watch sees what it must see: a test of pages that can't fail would prove nothing."""

from __future__ import annotations

import asyncio

import pytest
from playwright.sync_api import Page

from tests.browser.accessibility import assert_accessible
from tests.browser.site import Site
from tests.browser.watch import Watch

FAULTS = {
    "an inline style": ('<p style="color: red">Hello</p>', "style"),
    "an inline script": ("<script>window.ran = 1</script>", "script"),
    "another host": ('<img src="http://farebox.invalid/x.png" alt="">', "farebox.invalid"),
    "a missing file": ('<img src="/nothing.png" alt="">', "404"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_no_page_may_do_is_seen(page: Page, site: Site, watch: Watch, fault: str) -> None:
    body, words = FAULTS[fault]
    page.goto(site.put(body))
    with pytest.raises(AssertionError, match=words):
        watch.check()
    watch.found.clear()


def test_errors_of_scripts_and_words_on_the_console_are_seen(
    page: Page, site: Site, watch: Watch
) -> None:
    page.goto(site.put("<p>Hello</p>"))
    with page.expect_event("pageerror"):
        page.evaluate("() => { console.warn('mind'); setTimeout(() => { throw Error('oh') }) }")
    assert [words for words in ("mind", "oh") if words not in str(watch.found)] == []
    watch.found.clear()


def test_what_is_expected_must_come(page: Page, site: Site, watch: Watch) -> None:
    watch.expect("404")
    with pytest.raises(AssertionError, match="nothing on the console"):
        watch.check()
    page.goto(site.put('<img src="/nothing.png" alt="">'))
    watch.check()


def test_a_page_that_some_people_cannot_use_is_found(page: Page, site: Site) -> None:
    page.goto(site.put("<h1>Page</h1><input><button></button>"))
    with pytest.raises(AssertionError, match="critical: label"):
        assert_accessible(page)
    page.goto(site.put("<h1>Page</h1><label>Name <input></label><button>Go</button>"))
    assert_accessible(page)


def test_other_tests_of_this_thread_may_run_loops_of_their_own(site: Site) -> None:
    assert site.url
    assert asyncio.run(asyncio.sleep(0, "ran")) == "ran"

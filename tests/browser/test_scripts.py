"""What the small scripts add: copying, asking first, taking a link's token, being busy."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.site import Site

SECRET = "fb_live_example"
COPY = f"""<code id="key"> {SECRET} </code>
<button data-copy="#key" data-copied="Copied!" hidden>Copy</button>"""
CONFIRM = """<form method="post" action="/revoke" data-confirm="#sure">
<input type="hidden" name="key_id" value="7">
<button name="act" value="revoke">Revoke</button></form>
<dialog id="sure"><form method="dialog"><p>Revoke it?</p>
<button value="yes">Revoke key</button><button value="no">Keep it</button></form></dialog>"""
LINK = """<form data-link-form method="post" action="/entered">
<input type="hidden" name="token"></form><p>You need a link.</p>"""
REFUSE = "() => { navigator.clipboard.writeText = () => Promise.reject(Error('no')) }"
BUSY = """<form method="post" action="/made"><input name="name" value="x">
<button name="act" value="make">Make</button></form>
<form id="file" action="/page" data-download><button>Download</button></form>
<form id="filter" action="/page"><label>Plan <select name="plan" data-auto-submit>
<option>all</option><option>growth</option></select></label>
<button data-without-script>Show</button></form>"""


@pytest.fixture(autouse=True)
def _answers(site: Site) -> None:
    for path in ("/revoke", "/made"):
        site.put("<h1>Done</h1>", path=path)
    site.sent.clear()


def test_a_text_is_copied_and_that_is_said(page: Page, site: Site) -> None:
    page.goto(site.put(COPY))
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("status")).to_have_text("Copied!")
    assert page.evaluate("navigator.clipboard.readText()") == SECRET


def test_where_copying_is_not_allowed_the_text_is_selected(open_page: OpenPage, site: Site) -> None:
    page = open_page(permissions=[])
    page.goto(site.put(COPY))
    page.evaluate(REFUSE)
    page.get_by_role("button", name="Copy").click()
    page.wait_for_function("text => getSelection().toString().trim() === text", arg=SECRET)
    expect(page.get_by_role("status")).to_be_empty()


def test_without_scripts_nothing_is_shown_that_needs_them(open_page: OpenPage, site: Site) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(site.put(COPY + BUSY))
    expect(page.get_by_role("button", name="Copy")).to_be_hidden()
    expect(page.get_by_role("button", name="Show")).to_be_visible()


def test_a_form_is_sent_only_after_it_was_confirmed(page: Page, site: Site) -> None:
    page.goto(site.put(CONFIRM))
    dialog = page.get_by_role("dialog")
    for leave in ("Keep it", "Escape"):
        page.get_by_role("button", name="Revoke").click()
        expect(dialog).to_be_visible()
        expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
        if leave == "Escape":
            page.keyboard.press("Escape")
        else:
            dialog.get_by_role("button", name=leave).click()
        expect(dialog).to_be_hidden()
        assert site.sent == []
    page.get_by_role("button", name="Revoke").click()
    dialog.get_by_role("button", name="Revoke key").click()
    expect(page.get_by_role("heading")).to_have_text("Done")
    (sent,) = site.sent
    assert sent.fields == {"key_id": ["7"], "act": ["revoke"], "confirmed": ["yes"]}


def test_without_scripts_a_form_goes_to_the_page_that_asks(open_page: OpenPage, site: Site) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(site.put(CONFIRM))
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("heading")).to_have_text("Done")
    (sent,) = site.sent
    assert "confirmed" not in sent.fields


def test_the_token_of_a_link_leaves_the_address_and_is_sent_as_a_form(
    page: Page, site: Site
) -> None:
    address = site.put(LINK)
    # The page stays, so that its address can be seen.
    page.route("**/entered", lambda route: route.fulfill(status=204))
    with page.expect_request("**/entered") as asked:
        page.goto(f"{address}#fbl_token.of-a_link", wait_until="commit")
    assert asked.value.method == "POST"
    assert asked.value.post_data == "token=fbl_token.of-a_link"
    assert page.url == address


def test_a_form_without_a_token_is_not_sent(page: Page, site: Site) -> None:
    page.goto(site.put(LINK))
    expect(page.get_by_text("You need a link.")).to_be_visible()
    assert site.sent == []


def test_a_form_that_is_being_sent_is_busy_and_says_which_button_was_pressed(
    page: Page, site: Site
) -> None:
    page.goto(site.put(BUSY))
    page.route("**/made", lambda route: route.fulfill(status=204))
    make = page.get_by_role("button", name="Make")
    with page.expect_request("**/made") as asked:
        make.click()
    assert asked.value.post_data == "name=x&act=make"
    expect(make).to_be_disabled()
    expect(page.locator("form[aria-busy=true]")).to_have_count(1)


def test_a_form_whose_answer_is_a_file_can_be_sent_again(page: Page, site: Site) -> None:
    page.goto(site.put(BUSY))
    page.route("**/page?", lambda route: route.fulfill(status=204))
    button = page.get_by_role("button", name="Download")
    for _ in range(2):
        with page.expect_request("**/page?"):
            button.click()
    expect(button).to_be_enabled()


def test_a_choice_is_sent_when_it_is_made(page: Page, site: Site) -> None:
    page.goto(site.put(BUSY))
    expect(page.get_by_role("button", name="Show")).to_be_hidden()
    page.get_by_label("Plan").select_option("growth")
    page.wait_for_url("**/page?plan=growth")


def test_going_through_choices_by_keyboard_sends_nothing_and_keeps_the_focus(
    page: Page, site: Site
) -> None:
    page.goto(site.put(BUSY))
    page.get_by_label("Plan").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Plan")).to_be_focused()
    assert "plan=" not in page.url

"""Keys and alerts in a browser: a key is made, used at the gate, revoked, and then refused."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.visiting import sign_in
from tests.browser.watch import Watch
from tests.browser.world import Workspace, World

LOG_TYPE = "people_search"


def follow_link(page: Page, world: World, workspace: Workspace, role: str = "manage") -> None:
    """Come to a workspace's overview by a new link."""
    path = f"/workspaces/{workspace.profile_id}/links"
    page.goto(world.server.make(path, {"role": role})["url"])
    expect(page).to_have_url(re.compile(r"/dashboard$"))


def is_admitted(world: World, key: str) -> bool:
    """What the gate says to a call with a key."""
    asked = {"key": key, "log_type": LOG_TYPE}
    answer = world.server.call("POST", "/v1/authorize", asked).json()
    assert answer["allowed"] or answer["status"] == 401, answer
    return bool(answer["allowed"])


def test_a_key_that_was_made_here_is_admitted_until_it_is_revoked_here(
    page: Page, world: World
) -> None:
    follow_link(page, world, world.make_workspace())
    page.get_by_role("link", name="API keys").click()
    page.get_by_role("link", name="Make a key").click()
    page.get_by_label("Name").fill("Nightly")
    page.get_by_label("People Search").check()
    page.get_by_role("button", name="Make the key").click()
    secret = page.locator("#secret").inner_text()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    assert page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])") == "[{},{}]"
    assert secret not in page.url
    assert is_admitted(world, secret)

    page.get_by_role("link", name="See the key").click()
    assert secret not in page.content()
    page.get_by_role("button", name="Revoke").click()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Revoke for good")).to_be_hidden()
    assert is_admitted(world, secret)
    page.get_by_role("button", name="Revoke").click()
    page.get_by_role("button", name="Revoke for good").click()
    expect(page.get_by_role("status")).to_have_text("The key was revoked.")
    assert not is_admitted(world, secret)


def test_what_is_wrong_is_told_at_its_field(page: Page, world: World, watch: Watch) -> None:
    follow_link(page, world, world.make_workspace())
    watch.expect("status of 400")
    page.goto(f"{world.url}/dashboard/keys/new")
    page.get_by_label("Name").fill("Kept")
    page.get_by_label("Credits cap").fill("a lot")
    page.get_by_role("button", name="Make the key").click()
    cap = page.get_by_label("Credits cap")
    expect(cap).to_have_attribute("aria-invalid", "true")
    expect(cap).to_have_accessible_description(re.compile("a number of credits from 0"))
    expect(cap).to_have_value("a lot")
    expect(page.get_by_label("Name")).to_have_value("Kept")
    assert_accessible(page)


def test_who_revokes_the_key_that_they_came_with_is_signed_out(page: Page, world: World) -> None:
    workspace = world.make_workspace()
    sign_in(page, world, workspace.key)
    page.goto(f"{world.url}/dashboard/keys")
    expect(page.get_by_role("link", name="Make a key")).to_have_count(0)
    page.get_by_role("link", name="api 1").click()
    page.get_by_role("button", name="Revoke").click()
    page.get_by_role("button", name="Revoke for good").click()
    expect(page.get_by_role("status")).to_have_text("The key was revoked, and you are signed out.")
    assert not is_admitted(world, workspace.key)


def test_an_alert_is_made_and_ended(page: Page, world: World) -> None:
    follow_link(page, world, world.make_workspace())
    page.get_by_role("link", name="Alerts").click()
    page.get_by_label("What is watched").select_option("month portal")
    page.get_by_label("Thresholds in percent").fill("75")
    page.get_by_role("button", name="Make the alert").click()
    alert = page.get_by_role("region", name="Requests a month, portal")
    expect(alert).to_contain_text("Reports at 75%")
    alert.get_by_role("button", name="End").click()
    page.get_by_role("button", name="End the alert").click()
    expect(page.get_by_role("status")).to_have_text("The alert has ended.")
    expect(alert).to_have_count(0)

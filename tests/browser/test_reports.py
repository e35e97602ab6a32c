"""Usage, breakdown and logs in a browser: what a bar tells is the API's number."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.visiting import await_chart, chart_titles, point_at, sign_in
from tests.browser.world import World

TOTALS = ("#total-credits", "#total-requests")


def usage(world: World, **more: str) -> str:
    """The usage page of the days around the last change of the clock."""
    start, end = world.change_range
    asked = {"range": "custom", "start_date": start, "end_date": end, **more}
    return f"{world.url}/dashboard/usage?{urlencode(asked)}"


def report(world: World, **more: object) -> Any:  # noqa: ANN401 - any JSON
    """The API's report of the same days."""
    start, end = world.change_range
    asked = {"start_date": start, "end_date": end, "fill_gaps": True, **more}
    return world.ask("/api_keys/usage/daily", asked)


def captured(world: World) -> str:
    """The request that was captured."""
    at = {"search_term": "/people/search", "status_codes": [200], "per_page": 100}
    for log in world.ask("/api_keys/logs", at)["query_logs"]:
        found = world.ask("/api_keys/logs/lookup", {"query_log_id": log["query_log_id"]})
        if found["request_body"]:
            return str(log["query_log_id"])
    message = "nothing was captured"
    raise AssertionError(message)


def number(text: str) -> Decimal:
    """A number as English shows it."""
    return Decimal(text.replace(",", ""))


@pytest.mark.parametrize("unit", ["credits", "requests"])
def test_a_bar_tells_the_apis_number(page: Page, world: World, unit: str) -> None:
    sign_in(page, world)
    page.goto(usage(world, unit=unit, compare="off"))
    titles = chart_titles(page)
    data = report(world)
    assert len(titles) == len(data["series"]) == 7
    # The day of the change is in the middle.
    for place in (0, 3, 6):
        told = {name: number(text) for name, text in point_at(page, titles[place]).items()}
        assert told.pop("Total") == Decimal(str(data["series"][place][unit]))
        assert told == {
            "Not mapped" if one["slug"] == "__unknown__" else one["name"]: Decimal(
                str(one["series"][place][unit])
            )
            for one in data["by_log_type"]
        }
    for selector, name in zip(TOTALS, ("credits", "requests"), strict=True):
        assert number(page.locator(selector).inner_text()) == Decimal(str(data["totals"][name]))


def test_the_hours_of_the_day_of_the_change_add_up_to_the_apis_day(
    page: Page, world: World
) -> None:
    sign_in(page, world)
    day = str(world.changed_on)
    page.goto(usage(world, start_date=day, end_date=day, unit="requests", compare="off"))
    titles = chart_titles(page)
    assert len(titles) in {23, 25}
    page.get_by_text("Show as a table").click()
    total = page.locator("#usage-table tbody tr td:last-child")
    requests = [int(number(text)) for text in total.all_inner_texts()]
    (point,) = [one for one in report(world)["series"] if one["date"] == day]
    assert sum(requests) == point["requests"]
    place = requests.index(max(requests))
    assert number(point_at(page, titles[place])["Total"]) == requests[place]


def test_filters_are_chosen_by_keyboard_alone_and_stand_in_the_address(
    page: Page, world: World
) -> None:
    sign_in(page, world)
    page.goto(usage(world))
    page.locator("summary", has_text="All keys").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    chosen = page.locator("input[name=key]:checked").input_value()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**key={chosen}**")
    await_chart(page)
    data = report(world, keys=[chosen])
    assert 0 < data["totals"]["requests"] < report(world)["totals"]["requests"]
    assert number(page.locator("#total-requests").inner_text()) == data["totals"]["requests"]
    page.reload()
    expect(page.locator("summary", has_text="1 chosen")).to_be_visible()
    page.get_by_role("link", name="Remove the filters").click()
    expect(page.locator("summary", has_text="All keys")).to_be_visible()


def test_a_range_is_chosen_by_its_name_and_kept_on_the_way(page: Page, world: World) -> None:
    sign_in(page, world)
    page.get_by_role("link", name="Usage").click()
    page.get_by_label("Range", exact=True).select_option("7d")
    page.wait_for_url("**range=7d**")
    page.get_by_role("link", name="Requests").click()
    page.wait_for_url("**unit=requests**")
    assert "range=7d" in page.url
    assert len(chart_titles(page)) == 7
    page.get_by_label("Range", exact=True).select_option("custom")
    page.wait_for_url("**range=custom**")
    assert "unit=requests" in page.url
    expect(page.get_by_label("First day")).to_be_visible()


def test_logs_are_found_and_one_is_told_with_what_was_captured(page: Page, world: World) -> None:
    sign_in(page, world)
    page.get_by_role("link", name="Logs").click()
    page.get_by_role("searchbox").fill("/people/search")
    page.get_by_label("Status codes").fill("200")
    page.keyboard.press("Enter")
    page.wait_for_url("**status_codes=200**")
    start = page.locator("#logs-table tbody tr").first
    expect(start).to_contain_text("/people/search")
    log_id = captured(world)
    page.locator(f"tr[data-row='{log_id}'] a").first.click()
    page.wait_for_url(f"**/logs/{log_id}?**")
    expect(page.get_by_role("region", name="Request body")).to_contain_text('"query": "engineer"')
    expect(page.get_by_text("x-api-key").first).to_be_visible()
    assert world.acme.key not in page.content()
    page.get_by_role("link", name="To the logs").click()
    page.wait_for_url("**/dashboard/logs?**status_codes=200**")


def test_a_file_is_downloaded(page: Page, world: World) -> None:
    sign_in(page, world)
    page.goto(usage(world))
    with page.expect_download() as started:
        page.get_by_role("link", name="CSV").click()
    assert started.value.suggested_filename.startswith("usage-")
    text = started.value.path().read_text("utf-8")
    assert text.startswith("date,log_type_slug,log_type_name,requests,credits\n")


def test_pages_work_without_scripts(open_page: OpenPage, world: World) -> None:
    page = open_page(java_script_enabled=False)
    sign_in(page, world)
    page.goto(usage(world))
    page.locator("summary", has_text="All log types").click()
    page.get_by_label("People Search").check()
    page.get_by_role("button", name="Show").click()
    data = report(world, log_type_slugs=["people_search"])
    assert number(page.locator("#total-requests").inner_text()) == data["totals"]["requests"]

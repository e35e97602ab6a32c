"""The chart draws what it is given, and shows no number but the texts that it is given."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import OpenPage
from tests.browser.site import Site
from tests.browser.visiting import await_chart, point_at
from tests.support.waiting import until

DAYS = ("Mar 7", "Mar 8", "Mar 9", "Mar 10")
HEIGHT = 800
# Each text differs from its value, so a number of the chart's own would be seen.
DATA: dict[str, Any] = {
    "labels": DAYS,
    "titles": [f"{day}, 2026" for day in DAYS],
    "series": [
        {"name": "People <b>Search</b>", "values": [3, 0, 6, 9], "texts": ["p0", "p1", "p2", "p3"]},
        {"name": "Company Search", "values": [1.5, 2.5, 0, 1], "texts": ["c0", "c1", "c2", "c3"]},
    ],
    "totals": ["t0", "t1", "t2", "t3"],
    "previous": {
        "name": "Days before",
        "values": [4, 4, 2, 8],
        "texts": ["b0", "b1", "b2", "b3"],
        "titles": ["Mar 3", "Mar 4", "Mar 5", "Mar 6"],
    },
    "texts": {"total": "Total", "empty": "Nothing was used"},
}


def figure(data: dict[str, Any]) -> str:
    text = json.dumps(data).replace("<", "\\u003c")
    return (
        '<h1>Usage</h1><figure data-chart aria-label="Usage" aria-describedby="table">'
        f'<script type="application/json">{text}</script></figure>'
        '<table id="table"><tr><th>Day</th></tr></table>'
    )


def show(page: Page, site: Site, data: dict[str, Any] | None = None, language: str = "en") -> None:
    page.goto(site.put(figure(data or DATA), language=language))
    await_chart(page)


# The pixels of a copy of the canvas, since reading the canvas itself makes it slower.
PIXELS = """() => {
  const canvas = document.querySelector(".chart-box canvas");
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const columns = Array.from({ length: canvas.width }, () => ({}));
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] < 255) continue;
    const column = columns[(i / 4) % canvas.width];
    const colour = `rgb(${data[i]}, ${data[i + 1]}, ${data[i + 2]})`;
    column[colour] = (column[colour] ?? 0) + 1;
  }
  return columns;
}"""


def heights(page: Page, of_colour: str) -> list[int]:
    """How high each of the bars of a colour is, in pixels, from the left."""
    found, last = [], 0
    for column in page.evaluate(PIXELS):
        height = column.get(of_colour, 0)
        if height and not last:
            found.append(height)
        elif height:
            found[-1] = max(found[-1], height)
        last = height
    return found


def colour(page: Page, token: str) -> str:
    """What a token of the style sheet is at the time."""
    found: str = page.evaluate(
        """token => {
          const probe = document.body.appendChild(document.createElement("i"));
          probe.style.color = `var(${token})`;
          const found = getComputedStyle(probe).color;
          probe.remove();
          return found;
        }""",
        token,
    )
    return found


def test_the_box_under_the_pointer_tells_the_given_texts(page: Page, site: Site) -> None:
    show(page, site)
    for index, title in enumerate(DATA["titles"]):
        assert point_at(page, title) == {
            "People <b>Search</b>": DATA["series"][0]["texts"][index],
            "Company Search": DATA["series"][1]["texts"][index],
            "Total": DATA["totals"][index],
            DATA["previous"]["titles"][index]: DATA["previous"]["texts"][index],
        }


def test_bars_are_as_high_as_their_values_and_in_the_colours_of_the_page(
    page: Page, site: Site
) -> None:
    show(page, site)
    for place, series in enumerate(DATA["series"]):
        drawn = heights(page, colour(page, f"--chart-{place + 1}"))
        values = [value for value in series["values"] if value]
        assert len(drawn) == len(values)
        for height, value in zip(drawn, values, strict=True):
            assert height == pytest.approx(max(drawn) * value / max(values), abs=2)


def test_a_series_is_hidden_and_shown_by_its_button(page: Page, site: Site) -> None:
    show(page, site)
    button = page.get_by_role("button", name="Company Search")
    second = colour(page, "--chart-2")
    for is_shown in (False, True):
        button.focus()
        page.keyboard.press("Enter")
        expect(button).to_have_attribute("aria-pressed", str(is_shown).lower())
        until(lambda: bool(heights(page, second)) is is_shown)  # noqa: B023 - it ends here
        told = point_at(page, DATA["titles"][is_shown])
        # The total is that of all, so it isn't told of some.
        assert ("Company Search" in told, "Total" in told) == (is_shown, is_shown)


THEMES: dict[str, Callable[[Page], object]] = {
    "chosen": lambda page: page.evaluate("document.documentElement.dataset.theme = 'dark'"),
    "the system's": lambda page: page.emulate_media(color_scheme="dark"),
}


@pytest.mark.parametrize("theme", THEMES)
def test_the_chart_follows_the_theme(page: Page, site: Site, theme: str) -> None:
    show(page, site)
    light = colour(page, "--chart-1")
    THEMES[theme](page)
    dark = colour(page, "--chart-1")
    assert dark != light
    until(lambda: bool(heights(page, dark)))
    assert not heights(page, light)


def test_the_chart_is_as_wide_as_there_is_room(open_page: OpenPage, site: Site) -> None:
    page = open_page(viewport={"width": 1000, "height": HEIGHT})
    show(page, site)
    for width in (360, 1000):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        page.wait_for_function(
            """() => {
              const box = document.querySelector(".chart-box").getBoundingClientRect();
              const canvas = document.querySelector("canvas").getBoundingClientRect();
              return Math.abs(box.width - canvas.width) < 1
                && document.documentElement.scrollWidth <= innerWidth;
            }"""
        )


def test_a_chart_is_drawn_in_every_language(page: Page, site: Site) -> None:
    many = {**DATA, "series": [{**DATA["series"][0], "values": [30_000, 1, 2, 70_000]}]}
    for language in ("en", "zh-Hans", "ko", "ja"):
        show(page, site, many, language)
    assert_accessible(page)


def test_where_nothing_was_used_that_is_said(page: Page, site: Site) -> None:
    nothing = {**DATA["series"][0], "values": [0, 0, 0, 0]}
    page.goto(site.put(figure({**DATA, "series": [nothing], "previous": None})))
    expect(page.locator("figure")).to_have_attribute("data-chart", "empty")
    expect(page.get_by_text("Nothing was used")).to_be_visible()


def test_the_chart_library_is_fetched_only_where_there_is_a_chart(page: Page, site: Site) -> None:
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(site.put("<h1>No chart</h1>"))
    assert not [url for url in fetched if "/chart-" in url]
    show(page, site)
    assert len([url for url in fetched if "/chart-" in url]) == 1

"""Pictures of the main pages, made of the demo: `make screenshots`.

Each is taken in the light and in the dark. Pillow leaves a picture 256 colours, so that it stays
far below 150 kB.
"""

from __future__ import annotations

import sys
import tempfile
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from playwright.sync_api import BrowserContext, Page, ViewportSize, sync_playwright

from tests.browser.conftest import MISSING, find_chromium
from tests.browser.visiting import await_chart
from tests.demo.running import RunningDemo
from tests.support.waiting import until

FOLDER = Path(__file__).parent.parent.parent / "docs" / "screenshots"
COLOURS = 256
BYTES_MAX = 150_000
SIZE: ViewportSize = {"width": 1280, "height": 860}


class Shot(NamedTuple):
    """A picture: what it is called, and of which page."""

    name: str
    path: str


SHOTS = (
    Shot("overview", "/dashboard"),
    Shot("usage", "/dashboard/usage"),
    Shot("breakdown", "/dashboard/breakdown"),
    Shot("logs", "/dashboard/logs"),
    Shot("keys", "/dashboard/keys"),
    Shot("operator", "/operator"),
    Shot("statement", "/operator/workspaces/1/statement"),
)
THEMES = ("light", "dark")


def main() -> None:
    """Start the demo, sign in to both of its areas, and take the pictures.

    Raises:
        SystemExit: there is no browser.
    """
    chromium = find_chromium()
    if chromium is None:
        sys.exit(MISSING)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        demo = RunningDemo(Path(folder))
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium)
                context = browser.new_context(
                    locale="en-US", reduced_motion="reduce", viewport=SIZE
                )
                sign_in(context.new_page(), demo)
                for shot, theme in product(SHOTS, THEMES):
                    take(context, demo.url, shot, theme)
                browser.close()
        finally:
            demo.stop()


def sign_in(page: Page, demo: RunningDemo) -> None:
    """Come by the demo's link, then as its operator, who has the books audited first."""
    page.goto(demo.value("Manage its keys"))
    page.wait_for_url(f"{demo.url}/dashboard")
    page.goto(f"{demo.url}/operator/sign-in")
    page.locator("input[name=token]").fill(demo.value("Admin token"))
    page.locator("input[name=token]").press("Enter")
    page.wait_for_url(f"{demo.url}/operator")
    page.goto(f"{demo.url}/operator/audit")
    page.get_by_role("button", name="Audit now").click()
    page.wait_for_url(f"{demo.url}/operator/audit")
    until(lambda: is_audited(page))
    page.close()


def is_audited(page: Page) -> bool:
    """Whether an audit is in the list by now."""
    page.reload()
    return page.locator("#audits tbody tr").count() > 0


def take(context: BrowserContext, url: str, shot: Shot, theme: str) -> None:
    """Take a picture and say how large it is."""
    page = context.new_page()
    answer = page.goto(f"{url}{shot.path}?theme={theme}")
    assert answer is not None
    assert answer.ok, f"{shot.path}: {answer.status}"
    if page.locator("figure[data-chart]").count():
        await_chart(page)
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    path = FOLDER / f"{shot.name}-{theme}.png"
    few = picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    size = path.stat().st_size
    assert size < BYTES_MAX, f"{path.name} has {size} bytes"
    sys.stdout.write(f"{path.name}: {size:,} bytes\n")
    page.close()


if __name__ == "__main__":
    main()

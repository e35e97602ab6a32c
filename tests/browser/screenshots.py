"""Pictures of the main pages, made of the demo: `make screenshots`.

Pillow leaves a picture 256 colours, so that it stays far below 150 kB. Pages that aren't there are
left out.
"""

from __future__ import annotations

import sys
import tempfile
from io import BytesIO
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
OK = 200


class Shot(NamedTuple):
    """A picture: of which page, and in which theme."""

    name: str
    path: str
    theme: str = "light"


SHOTS = (
    Shot("overview", "/dashboard"),
    Shot("usage", "/dashboard/usage"),
    Shot("usage-dark", "/dashboard/usage", "dark"),
    Shot("logs", "/dashboard/logs"),
    Shot("keys", "/dashboard/keys"),
    Shot("operator", "/operator"),
)


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
                for shot in SHOTS:
                    take(context, demo.url, shot)
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


def take(context: BrowserContext, url: str, shot: Shot) -> None:
    """Take a picture and say how large it is."""
    page = context.new_page()
    answer = page.goto(f"{url}{shot.path}?theme={shot.theme}")
    assert answer is not None
    if answer.status != OK:
        tell(f"{shot.name}: there is no page {shot.path}")
        return
    if page.locator("figure[data-chart]").count():
        await_chart(page)
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    path = FOLDER / f"{shot.name}.png"
    few = picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    size = path.stat().st_size
    assert size < BYTES_MAX, f"{path.name} has {size} bytes"
    tell(f"{path.name}: {size:,} bytes")
    page.close()


def tell(line: str) -> None:
    """Say how far it has come."""
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()

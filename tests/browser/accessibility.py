"""Accessibility: axe-core's rules of WCAG 2.2, levels A and AA, over a page as it is shown.

The script comes from npm, by the lock of the dashboard's scripts, and goes into the page past the
Content-Security-Policy, as a debugger's does.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = Path(__file__).parent.parent.parent / "build/frontend/node_modules/axe-core/axe.min.js"
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
FAILING = {"critical", "serious"}
RUN = "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']})"


def assert_accessible(page: Page) -> None:
    """Fail if axe-core finds something serious or critical; what is less is only printed."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_script())
    violations = page.evaluate(RUN, list(TAGS))["violations"]
    told = [_tell(violation) for violation in violations]
    print("\n".join(told))  # noqa: T201 - shown with a test that fails
    serious = [t for t, v in zip(told, violations, strict=True) if v["impact"] in FAILING]
    assert not serious, f"{page.url}:\n" + "\n".join(serious)


def _tell(violation: Any) -> str:  # noqa: ANN401 - any JSON
    nodes = [f"    {node['target']}: {node['failureSummary']}" for node in violation["nodes"]]
    return "\n".join([f"{violation['impact']}: {violation['id']}: {violation['help']}", *nodes])


@lru_cache(maxsize=1)
def _script() -> str:
    assert AXE.is_file(), "axe-core isn't installed: run `make clean`, then `make test`"
    return AXE.read_text(encoding="utf-8")

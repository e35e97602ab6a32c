"""A shop of an API: a real Farebox with workspaces that are refused for every reason there is.

Each workspace calls `/people/<its name>`, so that the lines of a gateway's access log can be told
apart. Every call costs one credit.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import httpx

from tests.support.recorders import until
from tests.support.server import RunningServer

SLUG = "people"
CREDITS = 150
MONTH = 120
# What the plan of a workspace is, beside its credits and its limit a month.
PLANS: dict[str, dict[str, Any]] = {
    "rich": {"credits_per_month": 1_000_000},
    "poor": {"credits_per_month": CREDITS},
    "limited": {"credits_per_month": 1_000_000, "limits": {"api": {"month": MONTH}}},
    "barred": {"credits_per_month": 1_000_000, "is_api_access_available": False},
}


class Workspace(NamedTuple):
    """A workspace with its key."""

    profile_id: int
    key_id: str
    key: str


class Shop:
    """What there is in a server that was just started."""

    def __init__(self, server: RunningServer) -> None:
        self._server = server
        server.make(
            "/log_types", {"slug": SLUG, "name": "People", "credits": 1, "path": "/people/{name}"}
        )
        self.of = {name: self._workspace(name, plan) for name, plan in PLANS.items()}

    def _workspace(self, name: str, plan: dict[str, Any]) -> Workspace:
        self._server.make("/plans", {"slug": name, "name": name.title(), **plan})
        made = self._server.make("/workspaces", {"name": name, "plan": name})
        key = self._server.make(f"/workspaces/{made['profile_id']}/keys", {})
        return Workspace(made["profile_id"], key["key_id"], key["key"])

    def breakdown(self, name: str) -> tuple[int, float]:
        """Requests and credits of a workspace's calls, as its customer is told."""
        today = datetime.now(UTC).date()
        answer = self._server.client.post(
            f"{self._server.url}/api_keys/usage/breakdown",
            headers={"X-API-Key": self.of[name].key},
            json={
                "start_date": str(today - timedelta(days=2)),
                "end_date": str(today + timedelta(days=2)),
                "log_type_slugs": [SLUG],
            },
        )
        assert answer.status_code == httpx.codes.OK, answer.text
        totals = answer.json()["data"]["totals"]
        return totals["requests"], totals["credits"]

    def refusals(self, name: str) -> dict[str, int]:
        """How many calls of a workspace were refused, by reason."""
        answer = self._server.call(
            "GET", f"/admin/v1/workspaces/{self.of[name].profile_id}/refusal_counts"
        )
        assert answer.status_code == httpx.codes.OK, answer.text
        counts = answer.json()
        reasons = {reason["denied_by"]: reason["refusals"] for reason in counts["reasons"]}
        assert counts["totals"]["refusals"] == sum(reasons.values())
        return reasons


def becomes(told: Callable[[], object], expected: object) -> None:
    """Wait until a report says what it must: it may be a moment behind, and never beyond."""
    seen = []

    def is_there() -> bool:
        seen.append(told())
        return seen[-1] == expected

    try:
        until(is_there)
    except AssertionError as error:
        message = f"expected {expected}, told {seen[-1]}"
        raise AssertionError(message) from error

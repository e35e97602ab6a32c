"""A customer in New York with calls around both changes of the clock, and its API beside its pages.

There are more log types than colours, calls that are mapped to none, credits with decimal places,
two users' keys, a name that is markup, one call that was captured, and calls that were refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from farebox.core.identity import format_uuid
from farebox.core.refusal import Refusal
from farebox.core.request import Capture, MeteredRequest
from tests.support.api import Api
from tests.support.harness import Harness
from tests.support.refused import note, refusal
from tests.support.visitor import Visitor

ZONE = ZoneInfo("America/New_York")
LOG_TYPES = 10
HOUR_MS = 3_600_000
STATUSES = (200, 200, 200, 201, 404, 422, 500, None)


class Town:
    """The workspace; `visitor` is signed in with its first key."""

    def __init__(self, api: Api) -> None:
        self.api = api
        harness = api.harness
        self.slugs = [f"type_{n}" for n in range(LOG_TYPES)]
        ids = [
            harness.call("log_types.create", slug=slug, name=f"<b>Type {n}</b>", credits=1)
            for n, slug in enumerate(self.slugs)
        ]
        self.profile_id = harness.workspace(timezone=ZONE.key, name="Acme")
        made = [
            harness.call("keys.create", profile_id=self.profile_id, name=f"Key {n}")
            for n in range(3)
        ]
        self.key = made[0].key
        self.key_ids = [key.key_id for key in made]
        other = harness.workspace(name="Other", timezone="UTC")
        harness.record([harness.row(other, harness.key(other)) for _ in range(3)])
        dice = Random(5)
        rows = []
        for day in ((2025, 11, 2), (2026, 3, 8), (2026, 5, 4)):
            noon_ms = int(datetime(*day, 12, tzinfo=UTC).timestamp()) * 1000
            for _ in range(150):
                log_type = dice.randrange(LOG_TYPES + 1)
                rows.append(
                    harness.row(
                        self.profile_id,
                        self.key_ids[dice.randrange(2)],
                        log_type_id=ids[log_type].log_type_id if log_type < LOG_TYPES else 0,
                        credits_micro=dice.randrange(4) * 1_234_567,
                        time_ms=min(noon_ms + dice.randrange(-60, 60) * HOUR_MS, harness.now_ms),
                        method=dice.choice(("GET", "POST")),
                        path=f"/things/{dice.randrange(9)}",
                        status_code=dice.choice(STATUSES),
                        duration_ms=dice.randrange(2_000),
                        response_size=dice.randrange(5_000),
                        ip=f"192.0.2.{dice.randrange(4)}",
                    )
                )
        captured = rows[-1]
        self.captured_id = format_uuid(captured.query_log_id)
        capture = Capture(
            self.profile_id,
            captured.query_log_id,
            '{"content-type":"application/json","x-api-key":"***"}',
            '{"name":"<script>alert(1)</script>","price":1.50}',
            "plain & simple",
        )
        harness.record(rows, [capture])
        note(harness, *self._refusals(dice, rows))
        self.visitor = Visitor(api).sign_in(self.key)

    def _refusals(self, dice: Random, rows: list[MeteredRequest]) -> list[Refusal]:
        """As many calls that were refused, of the same times and keys, some in shadow mode."""
        return [
            refusal(
                self.profile_id,
                self.key_ids[dice.randrange(2)],
                time_ms=row.time_ms,
                denied_by=dice.choice(("hour", "day", "credits", "ip")),
                is_shadow=dice.random() < 0.2,
            )
            for row in rows
        ]

    def page(self, path: str) -> str:
        """A page of the signed-in customer."""
        self.api.flush()
        page = self.visitor.get(f"/dashboard{path}")
        assert page.status == 200, page.text
        return page.response.text

    def data(self, path: str, **body: object) -> Any:  # noqa: ANN401 - any JSON
        """What the API says."""
        return self.api.data(f"/api_keys/{path}", self.key, body)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Harness(tmp_path_factory.mktemp("town")) as harness, Api(harness) as api:
        yield Town(api)

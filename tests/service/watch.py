"""A workspace whose alerts are watched, by one server or several, with a clock set by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from farebox.service.alert_watch import AlertWatcher, Found
from farebox.service.duties import Duty
from farebox.service.metrics import Metrics
from farebox.store.contract import Reader
from tests.support.api import DirectLink, Store
from tests.support.harness import START_MS, Harness

HOUR_LIMITS = {"api": {"hour": 10, "day": 100, "month": 1000}, "portal": {"hour": 4}}

Result = TypeVar("Result")


class Watch:
    """A database with a workspace, and servers that watch it."""

    def __init__(self, harness: Harness, *, licences: int = 1, is_sharing: bool = True) -> None:
        self.harness = harness
        self.store = Store()
        self.metrics = Metrics()
        harness.call(
            "plans.create",
            slug="gold",
            name="Gold",
            credits_per_month=1000,
            limits=HOUR_LIMITS,
            is_quota_sharing_available=True,
        )
        self.profile_id = harness.workspace(
            plan="gold", licences=licences, is_quota_sharing_enabled=is_sharing
        )
        self.key_id = harness.key(self.profile_id)
        harness.call("webhooks.create", url="https://example.com/")
        self.counted = 0
        self.watcher = self.server()

    def server(self) -> AlertWatcher:
        """A server's watcher that has seen nothing yet."""
        harness = self.harness
        link = DirectLink(harness, self.store)
        duty = Duty("alerts", link, self.read, harness.clock, harness.entropy)
        return AlertWatcher(link, self.read, harness.directory, harness.clock, self.metrics, duty)

    def alert(self, kind: str = "hour", *thresholds: int, **fields: Any) -> str:  # noqa: ANN401 - as `Harness.call`
        """A new alert's id; of the API unless said otherwise."""
        if kind != "credits":
            fields.setdefault("channel", "api")
        made = self.harness.call(
            "alerts.create",
            profile_id=self.profile_id,
            kind=kind,
            thresholds=list(thresholds) or [50, 80, 100],
            **fields,
        )
        return str(made.alert_id)

    def use(self, requests: int, **fields: Any) -> None:  # noqa: ANN401 - as `Harness.row`
        """Record some requests."""
        fields.setdefault("key_id", self.key_id)
        rows = [self.harness.row(self.profile_id, **fields) for _ in range(requests)]
        self.harness.record(rows)

    def look(self, watcher: AlertWatcher | None = None) -> None:
        """What a server does once a second."""
        asyncio.run((watcher or self.watcher).round())

    def told(self) -> list[tuple[int, int]]:
        """(threshold, hours from the start to the window's), as the table holds them."""
        rows = self.harness.select(
            "select threshold_percent, (window_start_ms - ?) / 3600000 from alert_firings"
            " order by fired_at_ms, window_start_ms, threshold_percent",
            START_MS,
        )
        return [(int(percent), int(hours)) for percent, hours in rows]

    def events(self) -> list[dict[str, Any]]:
        """The data of the events of alerts, in the order of their making."""
        rows = self.harness.select(
            "select payload from webhook_messages where event_type = 'alert.fired'"
            " order by at_ms, json_extract(payload, '$.data.threshold_percent')"
        )
        found = []
        for (payload,) in rows:
            data = msgspec.json.decode(payload)
            assert data["type"] == "alert.fired"
            found.append(data["data"])
        return found

    async def read(self, work: Callable[[Reader], Result]) -> Result:
        """As a server's readers."""
        self.store.check()
        found = work(self.harness.reader)
        if isinstance(found, Found):
            self.counted += len(found.looks)
        return found

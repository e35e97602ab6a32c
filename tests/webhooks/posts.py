"""A post office: deliverers over a database of their own, and what they send."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from farebox.engine.clock import wall_ms
from farebox.engine.entropy import SystemEntropy
from farebox.engine.secret import ProgramSecret
from farebox.service.metrics import Metrics
from farebox.service.webhooks import signing_secret
from farebox.store.contract import Reader
from farebox.webhooks.deliverer import Deliverer
from farebox.webhooks.sender import Resolve, Sender, resolve
from tests.support.api import DirectLink, Store
from tests.support.harness import Harness

SECRET = "the secret of the program that tests are made with"


class Office:
    """A harness whose clock begins at the present, since receivers look at their own."""

    def __init__(self, folder: Path) -> None:
        self.harness = Harness(folder, now_ms=wall_ms())
        self.store = Store()
        self.metrics = Metrics()
        self.secret = ProgramSecret(SECRET, self.harness.path, SystemEntropy())

    def webhook(self, url: str, **fields: Any) -> str:  # noqa: ANN401 - as `Harness.call`
        """A new endpoint's id."""
        made = self.harness.call("webhooks.create", url=url, is_http_allowed=True, **fields)
        return str(made.webhook_id)

    def test(self, webhook_id: str) -> str:
        """Have a test event sent; its message id."""
        return str(self.harness.call("webhooks.test", webhook_id=webhook_id).message_id)

    def secret_of(self, webhook_id: str) -> str:
        """What an endpoint's messages are signed with."""
        return signing_secret(self.secret, webhook_id)

    def deliverer(self, *, resolve: Resolve = resolve) -> Deliverer:
        """A server's deliverer. To be made where the event loop runs."""
        return Deliverer(
            DirectLink(self.harness, self.store),
            self._read,
            self.harness.clock,
            self.metrics,
            self.secret,
            Sender("1.2.3", is_private_allowed=True, resolve=resolve),
        )

    def send(self, rounds: int = 1) -> None:
        """What a server would do in its next rounds."""

        async def run() -> None:
            deliverer = self.deliverer()
            for _ in range(rounds):
                await deliverer.round()
                await deliverer.idle()

        asyncio.run(run())

    def log(self, webhook_id: str) -> list[dict[str, Any]]:
        """The rows of an endpoint's deliveries, the oldest first."""
        names = (
            "message_id, attempts, next_attempt_at_ms, last_status, last_error, delivered_at_ms,"
            " gave_up_at_ms, last_duration_ms"
        )
        rows = self.harness.select(
            f"select {names} from deliveries where webhook_id = ? order by at_ms, message_id",
            webhook_id,
        )
        return [dict(zip(names.split(", "), row, strict=True)) for row in rows]

    def outcomes(self) -> dict[str, int]:
        """How often each outcome was counted."""
        (family,) = (
            f for f in self.metrics.registry.collect() if f.name == "farebox_webhook_deliveries"
        )
        return {
            sample.labels["outcome"]: int(sample.value)
            for sample in family.samples
            if sample.name.endswith("_total")
        }

    async def _read(self, work: Callable[[Reader], int | None]) -> int | None:
        return work(self.harness.reader)


def data_of(body: bytes) -> dict[str, Any]:
    """What an event tells."""
    payload: dict[str, Any] = msgspec.json.decode(body)
    assert payload.keys() == {"type", "timestamp", "data"}
    return payload

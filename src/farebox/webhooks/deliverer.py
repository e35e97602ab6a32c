"""The deliverer: a server's task that sends what the outbox holds.

About once a second it looks, by one row of an index, whether anything is due; only then does it
claim, which is a commit in the recorder, so that of several processes one sends a message. What it
sends at once is bounded, in all and for each endpoint. What it can't finish is claimed again later.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable

from farebox.core.errors import FareboxError
from farebox.core.instant import MS_PER_HOUR
from farebox.engine.clock import Clock
from farebox.engine.link import Link
from farebox.engine.secret import ProgramSecret
from farebox.service.deliveries import KEPT_MS, PER_WEBHOOK_MAX, next_due_ms, oldest_ms
from farebox.service.forms.webhook import (
    Claimed,
    DeliveriesClaim,
    DeliveriesClaimed,
    DeliveryFinish,
    DeliveryFinished,
    MessagesForget,
    MessagesForgotten,
)
from farebox.service.metrics import Metrics
from farebox.service.webhooks import signing_secret
from farebox.store.contract import QueryTimeoutError, Reader, StoreFaultError
from farebox.webhooks.sender import Letter, Sender

ROUND_SECONDS = 1.0
IN_FLIGHT_MAX = 20
STOP_SECONDS_MAX = 3.0
FORGET_EVERY_MS = MS_PER_HOUR
ACTOR = "webhooks"
METRIC = "farebox_webhook_deliveries_total"
_PUT_OFF = (FareboxError, StoreFaultError, QueryTimeoutError)
log = logging.getLogger("farebox.webhooks")

Read = Callable[[Callable[[Reader], int | None]], Awaitable[int | None]]


class Deliverer:
    """One per server. `read` computes something on a reader's thread."""

    def __init__(
        self,
        link: Link,
        read: Read,
        clock: Clock,
        metrics: Metrics,
        secret: ProgramSecret,
        sender: Sender,
    ) -> None:
        self._link = link
        self._read = read
        self._clock = clock
        self._metrics = metrics
        self._secret = secret
        self._sender = sender
        self._sending: dict[asyncio.Task[None], str] = {}
        self._forgot_ms = 0

    async def run(self) -> None:
        """Until it is cancelled; then what is being sent has a moment to end."""
        try:
            while True:
                await self.round()
                await asyncio.sleep(ROUND_SECONDS)
        finally:
            sending = list(self._sending)
            if sending:
                await asyncio.wait(sending, timeout=STOP_SECONDS_MAX)
            for task in sending:
                task.cancel()
            await asyncio.gather(*sending, return_exceptions=True)
            await self._sender.close()

    async def round(self) -> None:
        """Begin to send what is due, so far as there is room."""
        try:
            await self._claim()
            await self._forget()
        except _PUT_OFF as error:
            log.warning("webhooks are put off: %s", error)
        except Exception:
            log.exception("webhooks are put off")

    async def idle(self) -> None:
        """Wait until nothing is being sent."""
        while self._sending:
            await asyncio.wait(list(self._sending))

    async def _claim(self) -> None:
        room = IN_FLIGHT_MAX - len(self._sending)
        due_ms = await self._read(next_due_ms)
        if room <= 0 or due_ms is None or due_ms > self._clock.now_ms():
            return
        sending = Counter(self._sending.values())
        busy = [webhook_id for webhook_id, n in sending.items() if n >= PER_WEBHOOK_MAX]
        taken = await self._link.call(
            "deliveries.claim",
            DeliveriesClaim(count=room, busy=busy),
            DeliveriesClaimed,
            actor=ACTOR,
        )
        if taken.gave_up:
            self._metrics.count(METRIC, taken.gave_up, outcome="gave_up")
        for claimed in taken.claimed:
            task = asyncio.create_task(self._deliver(claimed))
            self._sending[task] = claimed.webhook_id
            task.add_done_callback(self._sending.pop)

    async def _deliver(self, claimed: Claimed) -> None:
        try:
            letter = Letter(
                claimed.message_id,
                claimed.url,
                claimed.payload,
                signing_secret(self._secret, claimed.webhook_id),
            )
            attempt = await self._sender.send(letter, self._clock.now_ms())
            finished = await self._link.call(
                "deliveries.finish",
                DeliveryFinish(
                    profile_id=claimed.profile_id,
                    message_id=claimed.message_id,
                    webhook_id=claimed.webhook_id,
                    attempt=claimed.attempt,
                    status=attempt.status,
                    duration_ms=attempt.duration_ms,
                    error=attempt.error,
                ),
                DeliveryFinished,
                actor=ACTOR,
            )
        except _PUT_OFF as error:
            # Its lease runs out, and it is sent again under the same id.
            log.warning("the delivery of %s is open: %s", claimed.message_id, error)
        except Exception:
            log.exception("the delivery of %s is open", claimed.message_id)
        else:
            self._metrics.count(METRIC, outcome=finished.outcome)
            if finished.outcome == "gave_up":
                log.warning("%s was given up: %s", claimed.message_id, attempt.error)

    async def _forget(self) -> None:
        now_ms = self._clock.now_ms()
        if now_ms - self._forgot_ms < FORGET_EVERY_MS:
            return
        made_ms = await self._read(oldest_ms)
        if made_ms is None or made_ms >= now_ms - KEPT_MS:
            self._forgot_ms = now_ms
            return
        # What this leaves is forgotten in the next rounds.
        forget = MessagesForget(before_ms=now_ms - KEPT_MS)
        await self._link.call("messages.forget", forget, MessagesForgotten, actor=ACTOR)

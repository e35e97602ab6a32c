"""Self records: the calls of the customer endpoints, which are requests too (channel `self`).

A call is recorded after its answer has left, so that no caller waits for it and no report counts
itself. What waits is bounded; while the store is away it is kept and tried again, and what finds
no room any more is dropped and counted in a metric. A repeat changes nothing, since each record has
an identity.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from itertools import islice
from typing import NamedTuple

from farebox.core.errors import FareboxError
from farebox.core.identity import (
    RANDOM_BYTES,
    content_digest,
    format_uuid,
    pack_identity,
    query_log_id,
)
from farebox.core.request import UNMAPPED, MeteredRequest
from farebox.engine.entropy import Entropy
from farebox.engine.link import Link
from farebox.service.authenticate import Caller
from farebox.service.metrics import Metrics

WAITING_MAX = 10_000
ROWS_PER_RECORD_MAX = 1_000
RETRY_SECONDS = 0.5
FLUSH_SECONDS_MAX = 5.0
SOURCE = "farebox"
log = logging.getLogger("farebox.self")


class Exchange(NamedTuple):
    """What was asked and answered in a call that began at `time_ms`."""

    time_ms: int
    duration_ms: int
    method: str
    path: str
    status_code: int
    response_size: int
    ip: str | None


def self_request(caller: Caller, exchange: Exchange, entropy: Entropy) -> MeteredRequest:
    """The request that a call of a customer endpoint is: unmapped, for nothing."""
    log_id = query_log_id(exchange.time_ms, entropy.random_bytes(RANDOM_BYTES))
    return MeteredRequest(
        profile_id=caller.profile_id,
        identity=pack_identity(SOURCE, format_uuid(log_id)),
        content=content_digest(log_id),
        query_log_id=log_id,
        time_ms=exchange.time_ms,
        key_id=caller.key.key_id,
        log_type_id=UNMAPPED,
        channel="self",
        credits_micro=0,
        method=exchange.method,
        path=exchange.path,
        status_code=exchange.status_code,
        duration_ms=exchange.duration_ms,
        response_size=exchange.response_size,
        ip=exchange.ip,
        authentication_type=caller.authentication_type,
    )


class SelfRecorder:
    """A queue with one task that empties it."""

    def __init__(self, link: Link, metrics: Metrics, *, waiting_max: int = WAITING_MAX) -> None:
        self._link = link
        self._metrics = metrics
        self._waiting_max = waiting_max
        self._waiting: deque[MeteredRequest] = deque()
        self._wake = asyncio.Event()
        self._flushing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many calls are not recorded yet."""
        return len(self._waiting)

    def start(self) -> None:
        """Begin to record."""
        self._task = asyncio.create_task(self._run())

    def record(self, row: MeteredRequest) -> None:
        """Have a request recorded soon; never waits and never fails."""
        if len(self._waiting) >= self._waiting_max:
            self._metrics.count("farebox_self_requests_dropped_total")
            return
        self._waiting.append(row)
        self._wake.set()

    async def flush(self) -> None:
        """Record what waits, once; what fails keeps waiting.

        Raises:
            FareboxError: 503, the store is away.
        """
        async with self._flushing:
            while self._waiting:
                rows = list(islice(self._waiting, ROWS_PER_RECORD_MAX))
                recorded = await self._link.record(rows)
                for _ in rows:
                    self._waiting.popleft()
                if recorded.rejected:
                    log.error("%d calls of our own were rejected", len(recorded.rejected))

    async def close(self) -> None:
        """Record what waits, if that is possible soon, and stop."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.wait([self._task])
        try:
            async with asyncio.timeout(FLUSH_SECONDS_MAX):
                await self.flush()
        except (FareboxError, TimeoutError):
            log.warning("%d calls of our own could not be recorded", len(self._waiting))
            self._metrics.count("farebox_self_requests_dropped_total", len(self._waiting))

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self.flush()
            except FareboxError:
                await asyncio.sleep(RETRY_SECONDS)
                self._wake.set()

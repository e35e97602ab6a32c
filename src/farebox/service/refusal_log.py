"""The refusal log of a process: takes note of every refusal, and tells the recorder soon after.

A note costs a microsecond or two, in a flood too, and waits for nothing: a tally goes up, and the
newest refusals of each workspace are kept to be explained. What was noted leaves in numbered
batches. A batch without an answer may have been counted or not: it stays as it is and is sent again
under its number until it is answered, so that every refusal counts once. Memory is bounded: a flood
of one kind is one sum, and of what is explained the largest shares give way first.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections import Counter, deque

import msgspec

from farebox.core.errors import QUEUE_FULL, STORE_UNAVAILABLE, FareboxError
from farebox.core.refusal import NewestRefusals, Refusal, RefusalSum, RefusalTally
from farebox.engine.entropy import Entropy, new_uuid
from farebox.engine.link import Link
from farebox.service.forms.common import Nothing
from farebox.service.forms.refusal import Explained, RefusalsNote
from farebox.service.metrics import Metrics
from farebox.service.record import bare_path, checked_ip
from farebox.service.refusal_list import limits_json
from farebox.service.refusals import EXPLAINED_KEPT

SUMS_MAX = 100_000
EXPLAINED_MAX = 4_000
PER_BATCH_MAX = 1_000
PATH_LENGTH_MAX = 1_000
FLUSH_EVERY_SECONDS = 0.25
CLOSE_SECONDS_MAX = 5.0
ACTOR = "refusals"
_METHOD = re.compile(r"[A-Za-z-]{1,32}")
log = logging.getLogger("farebox.refusals")


class RefusalLog:
    """One per process. `note` may be called from any thread, the rest from one event loop."""

    def __init__(
        self,
        link: Link,
        metrics: Metrics,
        entropy: Entropy,
        *,
        sums_max: int = SUMS_MAX,
        explained_max: int = EXPLAINED_MAX,
        flush_every_seconds: float = FLUSH_EVERY_SECONDS,
    ) -> None:
        self._link = link
        self._metrics = metrics
        self._sums_max = sums_max
        self._flush_every_seconds = flush_every_seconds
        self._source = new_uuid(entropy)
        self._sequence = 0
        self._lock = threading.Lock()
        self._tally = RefusalTally(sums_max)
        self._newest = NewestRefusals(EXPLAINED_KEPT, explained_max)
        self._dropped = 0
        # Numbered, in the order in which they go; the first may be in doubt.
        self._batches: deque[RefusalsNote] = deque()
        self._flushing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many refusals are not known to be counted yet."""
        with self._lock:
            noted = _count(self._tally.sums())
        return noted + sum(_count(batch.sums) for batch in self._batches)

    def start(self) -> None:
        """Begin to tell of refusals."""
        self._task = asyncio.create_task(self._run())

    def note(self, refusal: Refusal) -> None:
        """Have a refusal counted soon; never waits and never fails."""
        size = len(refusal.path or "") + len(refusal.ip or "") + len(refusal.method or "")
        if size > PATH_LENGTH_MAX:
            refusal = _cut(refusal)
        with self._lock:
            if self._tally.add(refusal):
                self._newest.add(refusal)
            else:
                self._dropped += 1

    async def flush(self) -> None:
        """Tell of all that was noted so far.

        Raises:
            FareboxError: 503, the store is away; all is kept, and sent again by the next flush.
        """
        async with self._flushing:
            await self._send()
            self._seal()
            await self._send()

    async def close(self) -> None:
        """Tell of what was noted, if that is possible soon, and stop."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.wait([self._task])
        try:
            async with asyncio.timeout(CLOSE_SECONDS_MAX):
                await self.flush()
        except (FareboxError, TimeoutError):
            lost = self.waiting
            log.warning("%d refusals could not be counted", lost)
            self._metrics.count("farebox_refusals_dropped_total", lost)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._flush_every_seconds)
            try:
                if self._batches or self._tally or self._dropped:
                    await self.flush()
            except FareboxError as error:
                log.debug("refusals are told of later: %s", error.internal)
            except Exception:
                # Whatever it was, the next refusals have nothing to do with it.
                log.exception("refusals could not be told of")

    async def _send(self) -> None:
        while self._batches:
            batch = self._batches[0]
            try:
                await self._link.call("refusals.note", batch, Nothing, actor=ACTOR)
            except FareboxError as error:
                if error.kind in {STORE_UNAVAILABLE, QUEUE_FULL}:
                    raise
                # It would be refused for ever, and whatever comes after it would wait.
                log.error("a batch of refusals was refused: %s", error.internal)  # noqa: TRY400
                if batch.explained:
                    # Nothing of it was counted. The counts matter more than their explanations.
                    self._batches[0] = msgspec.structs.replace(batch, explained=[])
                    continue
                self._metrics.count("farebox_refusals_dropped_total", _count(batch.sums))
            self._batches.popleft()

    def _seal(self) -> None:
        """Make batches of what was noted so far, and begin anew."""
        with self._lock:
            tally, self._tally = self._tally, RefusalTally(self._sums_max)
            newest = self._newest.take()
            dropped, self._dropped = self._dropped, 0
        sums = tally.sums()
        explained = [_explained(refusal) for refusal in newest]
        self._tell(sums, dropped)
        for start in range(0, max(len(sums), len(explained)), PER_BATCH_MAX):
            self._sequence += 1
            part = slice(start, start + PER_BATCH_MAX)
            self._batches.append(
                RefusalsNote(
                    source=self._source,
                    sequence=self._sequence,
                    sums=sums[part],
                    explained=explained[part],
                )
            )

    def _tell(self, sums: list[RefusalSum], dropped: int) -> None:
        """Count in the metrics: once a batch, since a counter costs more than a note may."""
        real: Counter[str] = Counter()
        shadow: Counter[str] = Counter()
        for counted in sums:
            (shadow if counted.is_shadow else real)[counted.denied_by] += counted.refusals
        for reason, count in real.items():
            self._metrics.count("farebox_refusals_total", count, reason=reason)
        for reason, count in shadow.items():
            self._metrics.count("farebox_shadow_refusals_total", count, reason=reason)
        if dropped:
            log.error("%d refusals found no room to be counted", dropped)
            self._metrics.count("farebox_refusals_dropped_total", dropped)


def _count(sums: list[RefusalSum]) -> int:
    return sum(counted.refusals for counted in sums)


def _cut(refusal: Refusal) -> Refusal:
    """A refusal that takes no more memory than it may.

    A secret is struck out while it is whole: a part of one would not be known for one.
    """
    path, method, ip = refusal.path, refusal.method, refusal.ip
    return refusal._replace(
        path=None if path is None else bare_path(path)[:PATH_LENGTH_MAX],
        method=None if method is None else _method(method),
        ip=None if ip is None else _ip(ip),
    )


def _explained(refusal: Refusal) -> Explained:
    """A refusal as it is stored: what a caller wrote is within bounds and bare of our secrets."""
    path = refusal.path
    return Explained(
        profile_id=refusal.profile_id,
        time_ms=refusal.time_ms,
        key_id=refusal.key_id,
        status=refusal.status,
        code=refusal.code,
        denied_by=refusal.denied_by,
        log_type_id=refusal.log_type_id,
        channel=refusal.channel,
        method=None if refusal.method is None else _method(refusal.method),
        path=None if path is None else bare_path(path).encode("utf-8", "replace").decode(),
        ip=None if refusal.ip is None else _ip(refusal.ip),
        limits=limits_json(refusal.limits),
        retry_at_ms=refusal.retry_at_ms,
        is_shadow=refusal.is_shadow,
    )


def _method(method: str) -> str | None:
    """A method, when it can be one."""
    return method.upper() if _METHOD.fullmatch(method) else None


def _ip(ip: str) -> str | None:
    """An address, when it is one."""
    try:
        return checked_ip(ip)
    except FareboxError:
        return None

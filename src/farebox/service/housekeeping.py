"""Housekeeping of a server: what no call looks after.

It watches the wall clock, has forgotten what was kept for a time, has the books audited now and
then, and tells what the last audit found, whoever ran it. Of all servers one has the books audited
in each period.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec

from farebox.core.errors import FareboxError
from farebox.core.identity import first_query_log_id
from farebox.core.instant import MS_PER_DAY, MS_PER_MINUTE, MS_PER_SECOND
from farebox.engine.clock import DRIFT_ALARM_MS, SteadyClock
from farebox.engine.link import Link
from farebox.engine.transaction import Command, Transaction
from farebox.service.auditor import Auditor
from farebox.service.duties import Duty
from farebox.service.forms.common import Nothing
from farebox.service.ingest import MINUTES_KEPT, IngestForget
from farebox.service.metrics import Metrics
from farebox.store.contract import QueryTimeoutError, Reader, StoreFaultError

ROUND_SECONDS = 5.0
FORGET_EVERY_MS = 10 * MS_PER_MINUTE
FORGET_AT_ONCE = 2_000
ACTOR = "housekeeping"
log = logging.getLogger("farebox.housekeeping")


class CapturesForget(msgspec.Struct, frozen=True):
    """Forget some of what was captured of requests made before an instant."""

    before_ms: int


class CapturesForgotten(msgspec.Struct, frozen=True):
    """How many were forgotten; there may be more when it is the most that are at once."""

    count: int


class _Audit(NamedTuple):
    ended_at_ms: int
    differences: int


class Fleet(NamedTuple):
    """The nodes that are there, and what those had drawn who have gone."""

    nodes: int
    held_back_units: int
    held_back_micro: int


class Seen(NamedTuple):
    """What the database tells for the metrics: the last audit, if there was one, and the fleet."""

    audit: _Audit | None
    fleet: Fleet


class Housekeeper:
    """One per server. `look` reads what there is to tell at an instant."""

    def __init__(
        self,
        link: Link,
        look: Callable[[int], Awaitable[Seen]],
        clock: SteadyClock,
        metrics: Metrics,
        audit_duty: Duty,
        *,
        capture_days: int,
        audit_minutes: int,
        auditor: Auditor,
    ) -> None:
        self._link = link
        self._look = look
        self._clock = clock
        self._metrics = metrics
        self._capture_ms = capture_days * MS_PER_DAY
        self._audit_ms = audit_minutes * MS_PER_MINUTE
        self.auditor = auditor
        self._audit_duty = audit_duty
        self._audit_due_ms = clock.now_ms() + self._audit_ms
        self._forgot_ms = 0

    async def run(self) -> None:
        """Until it is cancelled."""
        try:
            while True:
                await self.round()
                await asyncio.sleep(ROUND_SECONDS)
        finally:
            await self.auditor.stop()

    async def round(self) -> None:
        """Look after what is due."""
        now_ms = self._clock.now_ms()
        self._watch_clock()
        try:
            await self._tell(now_ms)
            if now_ms - self._forgot_ms >= FORGET_EVERY_MS:
                await self._forget_captures(now_ms - self._capture_ms)
                await self._forget_ingest(now_ms)
                self._forgot_ms = now_ms
            if self._audit_ms and now_ms >= self._audit_due_ms:
                await self._audit()
        except (FareboxError, StoreFaultError, QueryTimeoutError) as error:
            log.warning("housekeeping is put off: %s", error)

    async def _audit(self) -> None:
        """Audit, unless another server did; the next is due when this one's time is over."""
        claimed = await self._audit_duty.claim(self._audit_ms)
        self._audit_due_ms = claimed.until_ms
        if claimed.is_held:
            self.auditor.begin()

    async def _forget_captures(self, before_ms: int) -> None:
        forget = CapturesForget(before_ms)
        count = FORGET_AT_ONCE
        while count == FORGET_AT_ONCE:
            forgotten = await self._link.call(
                "captures.forget", forget, CapturesForgotten, actor=ACTOR
            )
            count = forgotten.count

    async def _forget_ingest(self, now_ms: int) -> None:
        forget = IngestForget(now_ms // MS_PER_MINUTE - MINUTES_KEPT)
        await self._link.call("ingest.forget", forget, Nothing, actor=ACTOR)

    def _watch_clock(self) -> None:
        drift_ms = self._clock.drift_ms()
        self._metrics.set("farebox_clock_drift_seconds", drift_ms / MS_PER_SECOND)
        if abs(drift_ms) > DRIFT_ALARM_MS:
            log.warning("the wall clock has stepped by %d ms; it is not followed", drift_ms)

    async def _tell(self, now_ms: int) -> None:
        metrics = self._metrics
        found, fleet = await self._look(now_ms)
        if found is not None:
            metrics.set("farebox_audit_differences", found.differences)
            metrics.set("farebox_audit_timestamp_seconds", found.ended_at_ms / MS_PER_SECOND)
        metrics.set("farebox_nodes", fleet.nodes)
        metrics.set("farebox_held_back_units", fleet.held_back_units)
        metrics.set("farebox_held_back_micro_credits", fleet.held_back_micro)


def look_around(reader: Reader, now_ms: int) -> Seen:
    """What there is to tell at an instant."""
    fleet = reader.one("fleet_now", Fleet, now_ms=now_ms)
    assert fleet is not None
    return Seen(last_audit(reader), fleet)


def last_audit(reader: Reader) -> _Audit | None:
    """When the last audit ended, and how many differences it found."""
    return reader.one("audits_last", _Audit)


def _forget(tx: Transaction, forget: CapturesForget) -> CapturesForgotten:
    """A few thousand at most, so that no one waits long for the recorder."""
    before_id = first_query_log_id(forget.before_ms)
    count = 0
    profile_id = tx.db.value("captures_after", profile_id=0)
    while isinstance(profile_id, int) and count < FORGET_AT_ONCE:
        count += tx.db.execute(
            "captures_forget",
            profile_id=profile_id,
            before_id=before_id,
            count=FORGET_AT_ONCE - count,
        )
        profile_id = tx.db.value("captures_after", profile_id=profile_id)
    return CapturesForgotten(count)


COMMANDS = (Command("captures.forget", CapturesForget, _forget),)

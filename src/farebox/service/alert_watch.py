"""The alert watcher: a server's task that notices when a threshold is reached.

About once a second it reads, in one query, what moves when a workspace with alerts changes, and
counts only where something did: its last transfer, the requests recorded in this quarter hour, its
plan and its terms. Of all processes one watches, while there are alerts. It keeps nothing of its
own in the database: at its first look at a workspace it counts from where something was recorded
last, so that nothing is missed while nobody watched.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import msgspec

from farebox.core.alert import AlertChannel, AlertKind, reached
from farebox.core.calendar import QUARTER_MS, quarter_of
from farebox.core.errors import FareboxError
from farebox.core.instant import MS_PER_DAY, MS_PER_HOUR
from farebox.core.plan import Plan
from farebox.core.workspace import Workspace
from farebox.engine.clock import Clock
from farebox.engine.directory import Directory
from farebox.engine.link import Link
from farebox.service.alert_usage import AlertUsage
from farebox.service.duties import Duty
from farebox.service.forms.alert import AlertsFire, AlertsFiredNow, Crossing
from farebox.service.metrics import Metrics
from farebox.service.reading import DirectoryBehindError, rows_of
from farebox.store.contract import QueryTimeoutError, Reader, StoreFaultError

ROUND_SECONDS = 1.0
# What is reported later than this after its window ended raises no alert any more.
LATE_MS = MS_PER_HOUR
BACK_MS_MAX = 35 * MS_PER_DAY
# The rest has its turn in the next rounds; other reports need the readers, too.
LOOK_SECONDS_MAX = 0.5
WORKSPACES_AT_ONCE = 100
CROSSINGS_AT_ONCE = 200
ACTOR = "alerts"
METRIC = "farebox_alerts_fired_total"
_PUT_OFF = (FareboxError, StoreFaultError, QueryTimeoutError)
log = logging.getLogger("farebox.alerts")


class _Watched(NamedTuple):
    """An alert, and what moves when its workspace changes."""

    profile_id: int
    alert_id: str
    kind: AlertKind
    channel: AlertChannel | None
    thresholds: tuple[int, ...]
    created_at_ms: int
    last_commit_id: int
    requests: int


class _Mark(NamedTuple):
    """While this stays the same, no threshold can be reached."""

    quarter: int
    watched: tuple[_Watched, ...]
    workspace: Workspace
    plan: Plan | None


class _Look(NamedTuple):
    """At which state a workspace was looked at last, and when."""

    mark: _Mark
    at_ms: int


class Found(NamedTuple):
    """What a look has found: what to remember when it is told, and what to tell."""

    looks: dict[int, _Look]
    crossings: list[Crossing]


_watched_rows = msgspec.json.Decoder(list[_Watched])
Run = Callable[[Callable[[Reader], Found]], Awaitable[Found]]


class _Known(NamedTuple):
    threshold_percent: int


class AlertWatcher:
    """One per server; works while the duty is its own.

    `read` computes something on a reader's thread.
    """

    def __init__(
        self,
        link: Link,
        read: Run,
        directory: Directory,
        clock: Clock,
        metrics: Metrics,
        duty: Duty,
    ) -> None:
        self._duty = duty
        self._link = link
        self._read = read
        self._directory = directory
        self._clock = clock
        self._metrics = metrics
        self._looks: dict[int, _Look] = {}

    async def run(self) -> None:
        """Until it is cancelled."""
        try:
            while True:
                if await self._is_ours():
                    await self.round()
                await asyncio.sleep(ROUND_SECONDS)
        finally:
            await self._duty.lay_down()

    async def round(self) -> None:
        """Look at what changed, and have told what was reached."""
        try:
            found = await self._read(self.look)
            await self._tell(found.crossings)
            # Only now: what could not be told is found again.
            self._looks.update(found.looks)
        except _PUT_OFF as error:
            log.warning("alerts are put off: %s", error)
        except Exception:
            log.exception("alerts are put off")

    async def _is_ours(self) -> bool:
        try:
            return await self._duty.is_ours()
        except _PUT_OFF as error:
            log.warning("alerts are put off: %s", error)
        return False

    def look(self, reader: Reader) -> Found:
        """What there is to tell of the workspaces that changed."""
        ends = time.monotonic() + LOOK_SECONDS_MAX
        now_ms = self._clock.now_ms()
        found = Found({}, [])
        for profile_id, mark in self._changed(reader, now_ms):
            if found.looks and time.monotonic() > ends:
                break
            last = self._looks.get(profile_id)
            since_ms = _first_ms(reader, profile_id, now_ms) if last is None else last.at_ms
            try:
                found.crossings.extend(self._crossings(reader, mark, since_ms, now_ms))
            except DirectoryBehindError:
                continue  # it follows in a moment
            found.looks[profile_id] = _Look(mark, now_ms)
        return found

    def _changed(self, reader: Reader, now_ms: int) -> list[tuple[int, _Mark]]:
        """The workspaces in which something moved; who has waited longest comes first."""
        changed = []
        for profile_id, mark in self._marks(reader, now_ms).items():
            last = self._looks.get(profile_id)
            if last is None or last.mark != mark:
                changed.append((0 if last is None else last.at_ms, profile_id, mark))
        changed.sort(key=lambda entry: entry[:2])
        return [(profile_id, mark) for _, profile_id, mark in changed[:WORKSPACES_AT_ONCE]]

    def _marks(self, reader: Reader, now_ms: int) -> dict[int, _Mark]:
        quarter = quarter_of(now_ms)
        by_workspace: dict[int, list[_Watched]] = {}
        for row in rows_of(reader.value("alerts_watched", quarter=quarter), _watched_rows):
            by_workspace.setdefault(row.profile_id, []).append(row)
        for gone in self._looks.keys() - by_workspace.keys():
            del self._looks[gone]
        marks = {}
        for profile_id, rows in by_workspace.items():
            workspace = self._directory.workspaces.get(profile_id)
            if workspace is not None:
                plan = self._directory.plans.get(workspace.plan_id_at(now_ms))
                marks[profile_id] = _Mark(quarter, tuple(rows), workspace, plan)
        return marks

    def _crossings(self, reader: Reader, mark: _Mark, since_ms: int, now_ms: int) -> list[Crossing]:
        usage = AlertUsage(reader, self._directory, mark.workspace, now_ms)
        since_ms = max(since_ms - LATE_MS, now_ms - BACK_MS_MAX)
        found = []
        for alert in mark.watched:
            from_ms = max(since_ms, alert.created_at_ms)
            if alert.kind == "credits":
                uses = usage.credits(from_ms)
            else:
                assert alert.channel is not None  # the schema sees to it
                uses = usage.requests(alert.kind, alert.channel, from_ms)
            for window, used, allowed, user_id in uses:
                over = reached(alert.thresholds, used, allowed)
                if over and allowed is not None:
                    found += [
                        Crossing(
                            alert.profile_id,
                            alert.alert_id,
                            threshold,
                            *window,
                            used,
                            allowed,
                            user_id,
                        )
                        for threshold in _new(reader, alert, window.start_ms, over)
                    ]
        return found

    async def _tell(self, crossings: Sequence[Crossing]) -> None:
        for start in range(0, len(crossings), CROSSINGS_AT_ONCE):
            fire = AlertsFire(crossings=list(crossings[start : start + CROSSINGS_AT_ONCE]))
            fired = await self._link.call("alerts.fire", fire, AlertsFiredNow, actor=ACTOR)
            self._metrics.count(METRIC, fired.count)


def are_any(reader: Reader) -> bool:
    """Whether there is anything to watch."""
    return reader.value("alerts_any") is not None


def _first_ms(reader: Reader, profile_id: int, now_ms: int) -> int:
    """From when on to count at a first look: when something was recorded before just now."""
    quarter = reader.value(
        "charges_last_quarter", profile_id=profile_id, quarter=quarter_of(now_ms)
    )
    return quarter * QUARTER_MS if isinstance(quarter, int) else now_ms


def _new(reader: Reader, alert: _Watched, window_start_ms: int, over: Sequence[int]) -> list[int]:
    """Those of the thresholds that were not told of a window."""
    rows = reader.rows(
        "alert_firings_known",
        _Known,
        profile_id=alert.profile_id,
        alert_id=alert.alert_id,
        window_start_ms=window_start_ms,
    )
    known = {row.threshold_percent for row in rows}
    return [threshold for threshold in over if threshold not in known]

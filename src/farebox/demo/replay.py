"""Replay: records made-up calls as they came, day by day, several records under way.

While the recorder commits one record the next is made, so that both processors work. No record
holds calls of two days. Every call must be new: a repeat would mean that the database wasn't.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, islice
from zoneinfo import ZoneInfo

from farebox.core.calendar import day_of_quarter, quarter_of
from farebox.core.credits import MICRO_PER_CREDIT
from farebox.core.identity import content_digest
from farebox.core.instant import MS_PER_DAY, MS_PER_HOUR
from farebox.core.request import MeteredRequest
from farebox.core.workspace import ApiKey
from farebox.demo.calls import Call
from farebox.engine.sync_link import SyncLink
from farebox.service.record import Draft, Packer

SOURCE = "demo"
AUTHENTICATION_TYPE = "x-api-key"
ROWS_PER_RECORD = 2_000
UNDER_WAY_MAX = 4

# Told the requests sent so far, and the time of the last of them.
OnProgress = Callable[[int, int], None]


class Replay:
    """Sends calls to the recorder; `requests` counts them."""

    def __init__(self, link: SyncLink, packer: Packer, zone: ZoneInfo, now_ms: int) -> None:
        self._link = link
        self._packer = packer
        self._zone = zone
        self._now_ms = now_ms
        self._under_way = 0
        self.requests = 0

    def run(self, calls: Iterable[Call], keys: Iterable[ApiKey], on_progress: OnProgress) -> None:
        """Record all calls, made with keys that are found by their names."""
        key_of = {key.name: key for key in keys}
        for _, together in groupby(calls, self._span):
            rows = (self._row(call, key_of[call.key_name]) for call in together)
            for batch in _batches(rows):
                if self._under_way == UNDER_WAY_MAX:
                    self._receive()
                self._link.send_record(batch)
                self._under_way += 1
                on_progress(self.requests, batch[-1].time_ms)
        while self._under_way:
            self._receive()

    def _span(self, call: Call) -> tuple[int, int]:
        """What is recorded together: the calls of a day, of the last 24 hours those of an hour."""
        day = day_of_quarter(quarter_of(call.time_ms), self._zone)
        is_late = call.time_ms > self._now_ms - MS_PER_DAY
        return day, call.time_ms // MS_PER_HOUR if is_late else 0

    def _receive(self) -> None:
        recorded = self._link.receive_recorded()
        self._under_way -= 1
        unexpected = [*recorded.duplicates, *recorded.conflicts, *recorded.rejected]
        assert not unexpected, "the database was not new"

    def _row(self, call: Call, key: ApiKey) -> MeteredRequest:
        self.requests += 1
        request_id = f"{self.requests:08d}"
        return self._packer.pack(
            Draft(
                request_id=request_id,
                source=SOURCE,
                content=content_digest(request_id.encode()),
                key=key,
                log_type=None,
                time_ms=call.time_ms,
                method=call.method,
                path=call.path,
                status_code=call.status_code,
                duration_ms=call.duration_ms,
                response_size=call.response_bytes,
                ip=call.ip,
                channel=None,
                credits_micro=None if call.credits is None else call.credits * MICRO_PER_CREDIT,
                authentication_type=AUTHENTICATION_TYPE,
            ),
            call.time_ms,
        )


def _batches(rows: Iterator[MeteredRequest]) -> Iterator[list[MeteredRequest]]:
    while batch := list(islice(rows, ROWS_PER_RECORD)):
        yield batch

"""The buffer: requests that wait to be sent, in their order, bounded in rows and in bytes.

A row leaves it when the server has said what became of it, and not before: a batch that failed is
the next batch again, with the same ids. A batch is due when it is full or its first row old enough;
after a failure not before the wait is over. A batch that is too large for the server, or for what
stands in front of it, is halved. Any thread may add; one at a time may send.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Literal, NamedTuple

import msgspec

from farebox.client.call import struck
from farebox.client.errors import ApiError, BufferFullError, FareboxClientError
from farebox.client.metering import keys_of
from farebox.contract.metering import BODY_BYTES_MAX, ROWS_MAX, RecordAnswer, RequestRow

# Braces, commas and the name of the list.
_ROOM_BYTES = 1_024
# A server that asks to be left alone for longer is asked again all the same.
RETRY_AFTER_SECONDS_MAX = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching:
    """How requests are collected.

    Attributes:
        rows_max: how many are sent at once at most.
        bytes_max: how large a call's body is at most.
        age_seconds_max: how long a request waits for others.
        buffer_rows_max: how many may wait, those on their way included.
        buffer_bytes_max: how large all that wait may be together.
        wait_seconds_max: how long to wait at most before a batch that could not be sent is tried
            again, unless the server asks for more.
    """

    rows_max: int = 1_000
    bytes_max: int = BODY_BYTES_MAX // 2
    age_seconds_max: float = 1.0
    buffer_rows_max: int = 100_000
    buffer_bytes_max: int = 64 * 1024 * 1024
    wait_seconds_max: float = 30.0

    def __post_init__(self) -> None:
        """Refuse bounds that the server doesn't take."""
        if not 1 <= self.rows_max <= ROWS_MAX:
            message = f"rows_max must be from 1 to {ROWS_MAX}"
            raise ValueError(message)
        if not _ROOM_BYTES < self.bytes_max <= BODY_BYTES_MAX:
            message = f"bytes_max must be above {_ROOM_BYTES} and up to {BODY_BYTES_MAX}"
            raise ValueError(message)
        if self.buffer_rows_max < 1 or self.buffer_bytes_max < 1:
            message = "buffer_rows_max and buffer_bytes_max must be 1 or more"
            raise ValueError(message)
        if not (self.age_seconds_max >= 0 and self.wait_seconds_max > 0):
            message = "age_seconds_max must be 0 or more, and wait_seconds_max above 0"
            raise ValueError(message)


Reason = Literal["rejected", "conflict", "unsent"]


class FailedRow(NamedTuple):
    """A request that was not recorded as it was told.

    `rejected`: the server refuses it, with this code. `conflict`: its id was recorded before with
    another content. `unsent`: the client was closed while the server could not be reached.
    """

    reason: Reason
    row: RequestRow
    code: int | None
    message: str


# The oldest rows, encoded.
Batch = list[bytes]


class _Waiting(NamedTuple):
    encoded: bytes
    since: float


class Buffer:
    """Requests that wait. `now` is in seconds of a monotonic clock."""

    def __init__(self, batching: Batching) -> None:
        self._batching = batching
        self._lock = threading.Lock()
        self._waiting: deque[_Waiting] = deque()
        self._bytes = 0
        self._added = 0
        self._rows_max = batching.rows_max
        self._failures = 0
        self._not_before = float("-inf")
        self._last_error: FareboxClientError | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def mark(self) -> int:
        """How many rows were added so far: `take` up to here to send what waits now."""
        return self._added

    def add(self, row: bytes, now: float) -> bool:
        """Take a row; whether someone should look what is due.

        Raises:
            ValueError: the row is larger than a call may be.
            BufferFullError: the row was not taken.
        """
        batching = self._batching
        if len(row) + _ROOM_BYTES > batching.bytes_max:
            message = f"a request may have {batching.bytes_max - _ROOM_BYTES} bytes at most"
            raise ValueError(message)
        with self._lock:
            if (
                len(self._waiting) >= batching.buffer_rows_max
                or self._bytes + len(row) > batching.buffer_bytes_max
            ):
                message = f"{len(self._waiting)} requests wait to be sent; no more are taken."
                raise BufferFullError(message, is_temporary=True) from self._last_error
            self._waiting.append(_Waiting(row, now))
            self._bytes += len(row)
            self._added += 1
            return len(self._waiting) == 1 or self._is_full()

    def due_in(self, now: float) -> float | None:
        """Seconds until a batch should be sent, 0 or less when it should be now; None: no rows."""
        with self._lock:
            if not self._waiting:
                return None
            due = self._waiting[0].since + self._batching.age_seconds_max
            if self._is_full():
                due = now
            return max(due, self._not_before) - now

    def take(self, mark: int) -> Batch | None:
        """The oldest rows of those added up to a mark; None when all of them are settled."""
        with self._lock:
            count = min(self._rows_max, mark - (self._added - len(self._waiting)))
            rows: list[bytes] = []
            size_bytes = _ROOM_BYTES
            for waiting in self._waiting:
                size_bytes += len(waiting.encoded) + 1
                if len(rows) >= count or (rows and size_bytes > self._batching.bytes_max):
                    break
                rows.append(waiting.encoded)
        return rows or None

    def settle(self, batch: Batch, answer: RecordAnswer) -> list[FailedRow]:
        """Let go of a batch that the server has answered; what of it was not recorded."""
        self._drop(len(batch))
        self._failures, self._not_before, self._last_error = 0, float("-inf"), None
        self._rows_max = min(self._rows_max * 2, self._batching.rows_max)
        told = "The id was recorded before with another content."
        return [
            *(
                _failed("rejected", batch[rejected.index], rejected.code, rejected.message)
                for rejected in answer.rejected
            ),
            *(_failed("conflict", batch[c.index], None, told) for c in answer.conflicts),
        ]

    def halve(self, batch: Batch, error: ApiError) -> list[FailedRow]:
        """Send less at once; a single row that is too large is let go."""
        if len(batch) > 1:
            self._rows_max = len(batch) // 2
            return []
        self._drop(1)
        return [_failed("rejected", batch[0], error.code, error.message)]

    def put_off(self, error: FareboxClientError, now: float) -> None:
        """A batch could not be sent: wait, longer each time, before it is tried again."""
        wait = min(self._batching.wait_seconds_max, float(1 << min(self._failures, 16)))
        self._failures += 1
        asked = min(error.retry_after or 0.0, RETRY_AFTER_SECONDS_MAX)
        self._not_before = now + max(wait, asked)
        self._last_error = error

    def abandon(self, error: FareboxClientError) -> list[FailedRow]:
        """Give up on all that wait."""
        rows = [waiting.encoded for waiting in self._waiting]
        self._drop(len(rows))
        return [_failed("unsent", row, None, str(error)) for row in rows]

    def _is_full(self) -> bool:
        batching = self._batching
        return len(self._waiting) >= batching.rows_max or self._bytes >= batching.bytes_max

    def _drop(self, count: int) -> None:
        with self._lock:
            for _ in range(count):
                self._bytes -= len(self._waiting.popleft().encoded)


def _failed(reason: Reason, row: bytes, code: int | None, message: str) -> FailedRow:
    decoded = msgspec.json.decode(row, type=RequestRow)
    return FailedRow(reason, decoded, code, struck(message, keys_of([row])))

"""Delivery: the flow that sends what waits in a buffer, and tells what was not recorded."""

from __future__ import annotations

import http
import logging
from collections.abc import Callable

from farebox.client.buffer import Batching, Buffer, FailedRow
from farebox.client.call import Caller, Flow, perform
from farebox.client.errors import ApiError, FareboxClientError
from farebox.client.metering import encoded, record_call
from farebox.contract.metering import RequestRow

TOO_LARGE = http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE
OnFailure = Callable[[FailedRow], None]
log = logging.getLogger("farebox.client")


class Delivery:
    """A buffer, who sends it, and whom to tell of rows that were not recorded."""

    def __init__(self, caller: Caller, batching: Batching, on_failure: OnFailure | None) -> None:
        self._caller = caller
        self._buffer = Buffer(batching)
        self._on_failure = on_failure

    def __len__(self) -> int:
        return len(self._buffer)

    def add(self, row: RequestRow) -> bool:
        """Take a row; whether someone should look what is due.

        Raises:
            ValueError: the row is too large for any call.
            BufferFullError: it was not taken.
        """
        return self._buffer.add(encoded(row), self._caller.outside.monotonic())

    def due_in(self) -> float | None:
        """Seconds until something should be sent; None when nothing waits."""
        return self._buffer.due_in(self._caller.outside.monotonic())

    def deliver(self) -> Flow[None]:
        """Send all that waits now; returns when the server has answered for each row.

        Raises:
            FareboxClientError: a batch could not be sent; it waits on, with all behind it.
        """
        mark = self._buffer.mark
        while (batch := self._buffer.take(mark)) is not None:
            try:
                answer = yield from perform(record_call(batch), self._caller)
            except FareboxClientError as error:
                if not isinstance(error, ApiError) or error.status != TOO_LARGE:
                    self._buffer.put_off(error, self._caller.outside.monotonic())
                    raise
                self._tell(self._buffer.halve(batch, error))
            else:
                self._tell(self._buffer.settle(batch, answer))

    def abandon(self, error: FareboxClientError) -> None:
        """Give up on all that wait, and tell so for each."""
        self._tell(self._buffer.abandon(error))

    def put_off(self, error: FareboxClientError) -> None:
        """Say in the log that a batch waits on: no one else waits for it."""
        log.warning("%d requests wait to be recorded: %s", len(self), error)

    def _tell(self, failed: list[FailedRow]) -> None:
        for failure in failed:
            if self._on_failure is None:
                log.error(
                    "request %s was not recorded (%s): %s",
                    failure.row.id,
                    failure.reason,
                    failure.message,
                )
                continue
            try:
                self._on_failure(failure)
            except Exception:  # the caller's own code may not keep the others from being told
                log.exception("on_failure failed for request %s", failure.row.id)

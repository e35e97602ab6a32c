"""Statements on their way: many are sent before one wait for the answers of all.

libpq's pipeline mode, driven here without ever blocking: a wait ends when the answers are there,
when its time is over (then the socket is closed: a cut network may never tell), or by the server
stopping the query, because a budget was spent or another thread asked for it.

What fails fails the statements after it up to the next wait, and the transaction with them.
"""

from __future__ import annotations

import select
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import pq

from farebox.store.contract import StoreFaultError
from farebox.store.postgres.faults import is_fatal, told_apart
from farebox.store.postgres.statements import NO_VALUES, Statement, Values

# How soon an interruption from another thread is noticed.
NOTICE_MS = 100
# How long a stopped query may take to end.
STOPPING_MS_MAX = 5_000
_BINARY = 1
_DONE = {pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK, pq.ExecStatus.EMPTY_QUERY}


class Answer:
    """What a statement is answered with; None until it is, and if it never was run."""

    def __init__(self) -> None:
        self.result: pq.abc.PGresult | None = None


class Pipeline:
    """The statements of one connection, and how often it was waited for the server."""

    def __init__(self, connection: psycopg.Connection[object], wait_ms_max: int | None) -> None:
        self.round_trips = 0
        self.wait_ms_max = wait_ms_max
        self._connection = connection
        self._pgconn = connection.pgconn
        self._pgconn.nonblocking = 1
        self._pgconn.enter_pipeline_mode()
        self._poll = select.poll()
        self._poll.register(self._pgconn.socket)
        self._waiting: deque[Answer] = deque()
        # How often something was pushed since the last wait.
        self._pushed = 0
        self._prepared: set[bytes] = set()
        # What was prepared since the last wait, and isn't sure yet.
        self._preparing: dict[bytes, Answer] = {}
        self._budget_ends: int | None = None
        self._is_interrupted = False
        self._deadline: int | None = None
        self._is_stopping = False

    @property
    def is_waiting(self) -> bool:
        """Whether something was put that isn't answered."""
        return bool(self._waiting)

    def put(self, statement: Statement, values: Values = NO_VALUES) -> Answer:
        """Send a statement, sooner or later; its answer is there after the next `settle`."""
        answer = Answer()
        if not statement.name:
            self._pgconn.send_query_params(statement.sql, values.values, result_format=_BINARY)
        else:
            name = f"{statement.name}/{','.join(map(str, values.types))}".encode()
            if name not in self._prepared:
                self._pgconn.send_prepare(name, statement.sql, values.types)
                self._prepared.add(name)
                self._preparing[name] = Answer()
                self._waiting.append(self._preparing[name])
            self._pgconn.send_query_prepared(
                name, values.values, values.forms, result_format=_BINARY
            )
        self._waiting.append(answer)
        return answer

    def push(self) -> None:
        """Send what was put and can't fail, and wait for its answer with the next one."""
        self._pgconn.pipeline_sync()
        self._pushed += 1
        self._pgconn.flush()

    def settle(self) -> None:
        """Wait until all is answered that was put.

        Raises:
            ConstraintBrokenError, QueryTimeoutError, StoreFaultError: the first failure.
        """
        self._pgconn.pipeline_sync()
        self._start_waiting()
        self._send()
        failed = None
        ends, self._pushed = self._pushed + 1, 0
        while ends:
            result = self._next()
            if result is None:
                continue
            if result.status == pq.ExecStatus.PIPELINE_SYNC:
                ends -= 1
                continue
            answer = self._waiting.popleft() if self._waiting else Answer()
            if result.status in _DONE:
                answer.result = result
            elif result.status == pq.ExecStatus.FATAL_ERROR:
                failed = failed or result
                if is_fatal(result):
                    break
        unsure, self._preparing = self._preparing, {}
        self._prepared.difference_update(n for n, a in unsure.items() if a.result is None)
        if failed is not None:
            raise told_apart(failed)

    def script(self, sql: str) -> None:
        """Run several statements, after all that was put.

        Raises:
            ConstraintBrokenError, QueryTimeoutError, StoreFaultError: the first failure.
        """
        self.settle()
        self._pgconn.exit_pipeline_mode()
        self._pgconn.send_query(sql.encode())
        self._start_waiting()
        self._send()
        failed = None
        while (result := self._next()) is not None:
            if result.status not in _DONE:
                failed = failed or result
        if failed is not None and is_fatal(failed):
            raise told_apart(failed)
        self._pgconn.enter_pipeline_mode()
        if failed is not None:
            raise told_apart(failed)

    @contextmanager
    def left(self) -> Iterator[None]:
        """Leave the pipeline, after all that was put, for what can't go through one."""
        self.settle()
        self._pgconn.exit_pipeline_mode()
        yield
        self._pgconn.nonblocking = 1
        self._pgconn.enter_pipeline_mode()

    @contextmanager
    def budget(self, milliseconds: int) -> Iterator[None]:
        """Stop what runs when the time is over."""
        self._budget_ends = _now_ms() + milliseconds
        try:
            yield
        finally:
            self._budget_ends = None

    def interrupt(self) -> None:
        """Stop what is waited for. May come from another thread; soon noticed, and never waits."""
        self._is_interrupted = True

    def _start_waiting(self) -> None:
        self.round_trips += 1
        self._is_interrupted = self._is_stopping = False
        bound = self.wait_ms_max
        self._deadline = None if bound is None else _now_ms() + bound

    def _send(self) -> None:
        while self._pgconn.flush():
            if self._wait(select.POLLIN | select.POLLOUT) & ~select.POLLOUT:
                self._pgconn.consume_input()

    def _next(self) -> pq.abc.PGresult | None:
        while self._pgconn.is_busy():
            self._wait(select.POLLIN)
            self._pgconn.consume_input()
        return self._pgconn.get_result()

    def _wait(self, events: int) -> int:
        self._poll.modify(self._pgconn.socket, events)
        while True:
            now = _now_ms()
            if not self._is_stopping and self._has_to_stop(now):
                self._stop(now)
            if self._deadline is not None and now >= self._deadline:
                message = "the database server doesn't answer"
                raise StoreFaultError(message)
            ends = (now + NOTICE_MS, self._deadline, self._budget_ends)
            soonest = min(end for end in ends if end is not None and end > now)
            if ready := self._poll.poll(soonest - now):
                return ready[0][1]

    def _has_to_stop(self, now: int) -> bool:
        is_spent = self._budget_ends is not None and now >= self._budget_ends
        return is_spent or self._is_interrupted

    def _stop(self, now: int) -> None:
        """Have the server stop the query; that it did comes as the query's answer."""
        self._is_stopping = True
        self._connection.cancel_safe(timeout=STOPPING_MS_MAX / 1000)
        stopped_by = now + 2 * STOPPING_MS_MAX
        self._deadline = min(self._deadline or stopped_by, stopped_by)


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000

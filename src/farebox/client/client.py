"""The client: the calls of a gateway or a back end, for programs that use threads."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Literal, Self, Unpack

import httpx
from msgspec import UNSET, UnsetType

from farebox.client.admin import Admin
from farebox.client.authorization import Authorization
from farebox.client.buffer import Batching
from farebox.client.call import Caller, perform
from farebox.client.connection import Connection
from farebox.client.decision import first_told
from farebox.client.delivery import Delivery, OnFailure
from farebox.client.driver import Driver
from farebox.client.forms import CallTold, Credits, Key, Moment, Told, secret
from farebox.client.gate_calls import authorize_call, settle_call, void_call
from farebox.client.metering import record_all_call, request_row
from farebox.client.outside import Outside, SystemOutside
from farebox.client.recorder import Recorder
from farebox.client.retry import GATE_RETRY, RetryPolicy
from farebox.contract.gate import SettleAnswer
from farebox.contract.metering import RecordAnswer, RequestRow


class Client:
    """Calls of a Farebox server. Any thread may use it; close it, or use it in a `with`.

    Args:
        url: where the server is, such as `http://127.0.0.1:8080`.
        token: a bearer token: the scope `meter` is enough for all but `admin`.
        retry: how often and how long a call is tried; `gate_retry` is that of `authorize`, for
            which somebody waits.
        batching: how the requests of `record` are collected.
        on_failure: is told of each request of `record` that was not recorded, on the thread that
            sent it; by default the log is. It may not flush or close.
        verify: whom to trust over TLS, if not the usual authorities.
        transport, sleep, outside: the network, waiting, and time and chance; for tests.

    Each method raises a `FareboxClientError` when it fails for good, and a `ValueError` for an
    argument that can't be.
    """

    def __init__(  # noqa: PLR0913 - all but two have a default
        self,
        url: str,
        token: Key,
        *,
        retry: RetryPolicy | None = None,
        gate_retry: RetryPolicy = GATE_RETRY,
        batching: Batching | None = None,
        on_failure: OnFailure | None = None,
        verify: ssl.SSLContext | bool = True,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        outside: Outside | None = None,
    ) -> None:
        connection = Connection(url, secret(token))
        caller = Caller(retry or RetryPolicy(), outside or SystemOutside(), connection.token)
        http = httpx.Client(transport=transport, verify=verify)
        self._driver = Driver(http, connection, caller, sleep)
        self._gate = self._driver._replace(caller=caller._replace(policy=gate_retry))
        delivery = Delivery(caller, batching or Batching(), on_failure)
        self._recorder = Recorder(delivery, self._driver)
        self.admin = Admin(self._driver)

    def authorize(
        self,
        *,
        key: Key,
        log_type: str | UnsetType | None = UNSET,
        method: str | None = None,
        path: str | None = None,
        credits: Credits | None = None,
        channel: Literal["api", "portal"] | None = None,
        id: str | None = None,  # noqa: A002 - the field's name
        ip: str | None = None,
    ) -> Authorization:
        """Ask whether a request may go on; a refusal is an answer, no exception.

        The request is of a `log_type` (None: of none), or what `method` and `path` are mapped to.
        `credits` is the most that it may cost. An `id` of your own makes the call repeatable: the
        same again gets the same reservation.
        """
        call = authorize_call(
            self._gate.caller.outside,
            key=key,
            log_type=log_type,
            method=method,
            path=path,
            credits=credits,
            channel=channel,
            id=id,
            ip=ip,
        )
        answer = self._gate.run(perform(call, self._gate.caller))
        return Authorization(self._driver, answer, first_told(method, path, ip))

    def settle(self, reservation_id: str, **told: Unpack[CallTold]) -> SettleAnswer:
        """Charge what an admitted request did cost, and record it. The same again is the same."""
        return self._driver.run(perform(settle_call(reservation_id, told), self._driver.caller))

    def void(self, reservation_id: str) -> None:
        """Give back what a request holds that was admitted and never served."""
        self._driver.run(perform(void_call(reservation_id), self._driver.caller))

    def record(
        self,
        *,
        key: Key | None = None,
        key_id: str | None = None,
        log_type: str | UnsetType | None = UNSET,
        id: str | None = None,  # noqa: A002 - the field's name
        source: str | None = None,
        time: Moment | None = None,
        **told: Unpack[Told],
    ) -> str:
        """Report a request that was served; it is sent soon, with others. Returns its id.

        Its `log_type` (None: none) is looked up by `method` and `path` where it isn't given, its
        `time` is now. It is kept until the server has answered for it; `flush` waits for that.

        Raises:
            BufferFullError: too many wait to be sent; this one was not taken.
        """
        row = request_row(
            self._driver.caller.outside,
            key=key,
            key_id=key_id,
            log_type=log_type,
            id=id,
            source=source,
            time=time,
            **told,
        )
        self._recorder.add(row)
        return row.id

    def record_all(self, requests: Sequence[RequestRow]) -> RecordAnswer:
        """Report requests, at most 10,000, and wait until they are recorded."""
        return self._driver.run(perform(record_all_call(requests), self._driver.caller))

    def flush(self) -> None:
        """Send what `record` has collected; returns when the server has answered for all of it."""
        self._recorder.flush()

    def close(self) -> None:
        """Flush, and end. What could not be sent is told to `on_failure`, and the error raised."""
        try:
            self._recorder.close()
        finally:
            self._driver.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self._driver.connection.url!r})"

"""The client of a gateway or a back end that runs on asyncio's event loop."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Literal, Self, Unpack

import httpx
from msgspec import UNSET, UnsetType

from farebox.client.aio_admin import AsyncAdmin
from farebox.client.aio_authorization import Authorizing
from farebox.client.aio_driver import AsyncDriver
from farebox.client.aio_recorder import AsyncRecorder
from farebox.client.buffer import Batching
from farebox.client.call import Caller, perform
from farebox.client.connection import Connection
from farebox.client.decision import first_told
from farebox.client.delivery import Delivery, OnFailure
from farebox.client.forms import CallTold, Credits, Key, Moment, Told, secret
from farebox.client.gate_calls import authorize_call, settle_call, void_call
from farebox.client.metering import record_all_call, request_row
from farebox.client.outside import Outside, SystemOutside
from farebox.client.retry import GATE_RETRY, RetryPolicy
from farebox.contract.gate import SettleAnswer
from farebox.contract.metering import RecordAnswer, RequestRow


class AsyncClient:
    """Calls of a Farebox server. One event loop uses it; close it, or use it in an `async with`.

    Args:
        url: where the server is, such as `http://127.0.0.1:8080`.
        token: a bearer token: the scope `meter` is enough for all but `admin`.
        retry: how often and how long a call is tried; `gate_retry` is that of `authorize`, for
            which somebody waits.
        batching: how the requests of `record` are collected.
        on_failure: is told of each request of `record` that was not recorded; by default
            the log is.
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
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        outside: Outside | None = None,
    ) -> None:
        connection = Connection(url, secret(token))
        caller = Caller(retry or RetryPolicy(), outside or SystemOutside(), connection.token)
        http = httpx.AsyncClient(transport=transport, verify=verify)
        self._driver = AsyncDriver(http, connection, caller, sleep)
        self._gate = self._driver._replace(caller=caller._replace(policy=gate_retry))
        delivery = Delivery(caller, batching or Batching(), on_failure)
        self._recorder = AsyncRecorder(delivery, self._driver)
        self.admin = AsyncAdmin(self._driver)

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
    ) -> Authorizing:
        """Ask whether a request may go on; await this, or enter it by `async with`.

        A refusal is an answer, no exception. The request is of a `log_type` (None: of none), or
        what `method` and `path` are mapped to.
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
        return Authorizing(self._driver, self._gate, call, first_told(method, path, ip))

    async def settle(self, reservation_id: str, **told: Unpack[CallTold]) -> SettleAnswer:
        """Charge what an admitted request did cost, and record it. The same again is the same."""
        return await self._driver.run(
            perform(settle_call(reservation_id, told), self._driver.caller)
        )

    async def void(self, reservation_id: str) -> None:
        """Give back what a request holds that was admitted and never served."""
        await self._driver.run(perform(void_call(reservation_id), self._driver.caller))

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

    async def record_all(self, requests: Sequence[RequestRow]) -> RecordAnswer:
        """Report requests, at most 10,000, and wait until they are recorded."""
        return await self._driver.run(perform(record_all_call(requests), self._driver.caller))

    async def flush(self) -> None:
        """Send what `record` has collected; returns when the server has answered for all of it."""
        await self._recorder.flush()

    async def close(self) -> None:
        """Flush, and end. What could not be sent is told to `on_failure`, and the error raised."""
        try:
            await self._recorder.close()
        finally:
            await self._driver.http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncClient({self._driver.connection.url!r})"

"""The link: a server's way to the recorder, on its event loop.

It connects at first use, starting the recorder when there is none, and again after a loss. What
waits is bounded; beyond the bound callers are told 503 at once. When the connection is lost, the
outcome of what was sent is unknown: every waiter gets 503, and a retry with the same id settles
it. A recorder that is there and doesn't answer isn't sent more: callers are told 503 at once, while
those who wait already do so for longer, since it may be a long commit.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from farebox.core.errors import CATALOGUE, IN_FLIGHT, QUEUE_FULL, STORE_UNAVAILABLE, FareboxError
from farebox.core.phrase import Phrase
from farebox.core.request import Capture, MeteredRequest
from farebox.engine.messages import (
    FAREWELL,
    Answered,
    Call,
    Draw,
    Drawn,
    Failed,
    FrameBuffer,
    Message,
    Record,
    Recorded,
    Reply,
    Said,
    Spend,
    Void,
    Voided,
    Want,
    decode_reply,
    encode,
)
from farebox.engine.paths import address, socket_path
from farebox.engine.silence import Silence
from farebox.engine.spawn import CONNECT_SECONDS_MAX, RETRY_SECONDS, RecorderProcess

REPLY_SECONDS_MAX = 30.0
SILENT_SECONDS_MAX = 10.0
ROWS_WAITING_MAX = 50_000
LEAVE_SECONDS_MAX = 5.0
RETRY_AFTER_SECONDS = 1
SILENT = "the recorder has not answered for long"
TOO_LATE = "the recorder did not answer in time"

Answer = TypeVar("Answer", bound=msgspec.Struct)


class Link:
    """Messages to the recorder. To be used from one event loop."""

    def __init__(
        self,
        place: Path,
        process: RecorderProcess,
        *,
        rows_waiting_max: int = ROWS_WAITING_MAX,
        reply_seconds_max: float = REPLY_SECONDS_MAX,
        silent_seconds_max: float = SILENT_SECONDS_MAX,
    ) -> None:
        self._path = socket_path(place)
        self._process = process
        self._rows_waiting_max = rows_waiting_max
        self._reply_seconds_max = reply_seconds_max
        self._silence = Silence(silent_seconds_max)
        self._peer: _Peer | None = None
        self._opening: asyncio.Task[_Peer] | None = None
        self._next_call_id = 0
        self.rows_waiting = 0
        # The last change that an own write made; the directory must have followed it.
        self.change_id = 0
        self._in_flight: set[tuple[str, str | None]] = set()

    async def connect(self) -> None:
        """Have a connection. Who waits for one together gets it, or fails, together.

        Raises:
            FareboxError: 503, no recorder could be reached in time.
        """
        if self._peer is None or self._peer.is_lost:
            if self._opening is None or self._opening.done():
                self._opening = asyncio.create_task(self._open())
                self._opening.add_done_callback(_look_at)
            self._peer = await asyncio.shield(self._opening)

    async def record(
        self,
        rows: list[MeteredRequest],
        captures: Sequence[Capture] = (),
        *,
        is_import: bool = False,
        lease_id: int = 0,
        spends: Sequence[Spend] = (),
    ) -> Recorded:
        """Record requests; returns after the commit. `spends` are those of admitted ones.

        Raises:
            FareboxError: 503, too much is waiting, or the outcome is unknown.
        """
        with self.room(len(rows)):
            record = Record(
                self._call_id(), rows, list(captures), is_import, lease_id, list(spends)
            )
            reply = await self._ask(record)
        assert isinstance(reply, Recorded)
        return reply

    async def draw(
        self,
        lease_id: int,
        now_ms: int,
        hold_ms: int,
        wants: list[Want],
        returns: list[tuple[int, int]],
        *,
        is_last: bool = False,
        is_old: bool = False,
        holdings: Sequence[tuple[int, int]] = (),
    ) -> Drawn:
        """Renew a lease, and move units to it and back; returns after the commit.

        A lease `is_old` when something was drawn by it before. `holdings` as in `Draw`.

        Raises:
            FareboxError: 503, the outcome is unknown.
        """
        draw = Draw(
            self._call_id(),
            lease_id,
            now_ms,
            hold_ms,
            wants,
            returns,
            is_last,
            is_old,
            list(holdings),
        )
        reply = await self._ask(draw)
        assert isinstance(reply, Drawn)
        return reply

    async def void(self, lease_id: int, profile_id: int, identity: bytes, spend: Spend) -> Voided:
        """End a reservation without a request; returns after the commit.

        Raises:
            FareboxError: 503, the outcome is unknown.
        """
        with self.room(1):
            reply = await self._ask(Void(self._call_id(), lease_id, profile_id, identity, spend))
        assert isinstance(reply, Voided)
        return reply

    async def call(
        self,
        name: str,
        arguments: msgspec.Struct,
        answer: type[Answer],
        *,
        actor: str,
        idempotency_key: str | None = None,
    ) -> Answer:
        """Run a command in the recorder; returns after the commit.

        Raises:
            FareboxError: why it was refused, or 503 when the outcome is unknown.
        """
        packed = msgspec.msgpack.encode(arguments)
        with self._in_flight_once(actor, idempotency_key), self.room(1):
            reply = await self._ask(Call(self._call_id(), name, packed, actor, idempotency_key))
        assert isinstance(reply, Answered)
        self.change_id = max(self.change_id, reply.change_id)
        return msgspec.msgpack.decode(reply.answer, type=answer)

    @contextmanager
    def room(self, rows: int) -> Iterator[None]:
        """Room for rows that wait, here or on their way here.

        Raises:
            FareboxError: 503, too much is waiting already, or the recorder is silent.
        """
        self.check()
        if self.rows_waiting + rows > self._rows_waiting_max:
            raise FareboxError(QUEUE_FULL, retry_after_seconds=RETRY_AFTER_SECONDS)
        self.rows_waiting += rows
        try:
            yield
        finally:
            self.rows_waiting -= rows

    def check(self) -> None:
        """Look whether the recorder answers; who waits for it now will tell.

        Raises:
            FareboxError: 503, it has not for long.
        """
        if self._silence.is_long and self._peer is not None and self._peer.is_waiting:
            raise unavailable(SILENT)

    async def close(self) -> None:
        """Wait for what was sent, then hang up."""
        if self._peer is not None:
            await self._peer.drain()
            self._peer.hang_up()

    async def leave(self) -> None:
        """Close; where nobody else is there, wait until the recorder has closed the database."""
        if self._peer is not None:
            await self._peer.drain()
            await self._peer.take_leave()
            self._peer.hang_up()

    @contextmanager
    def _in_flight_once(self, actor: str, idempotency_key: str | None) -> Iterator[None]:
        """Refuse a call whose Idempotency-Key is being worked on by this process."""
        held = (actor, idempotency_key)
        if held in self._in_flight:
            raise FareboxError(IN_FLIGHT)
        if idempotency_key is not None:
            self._in_flight.add(held)
        try:
            yield
        finally:
            self._in_flight.discard(held)

    async def _ask(self, message: Message) -> Recorded | Answered | Drawn | Voided:
        await self.connect()
        peer = self._peer
        assert peer is not None
        try:
            async with asyncio.timeout(self._reply_seconds_max):
                reply = await peer.ask(message)
        except TimeoutError as error:
            # What waits there would grow without a bound.
            peer.give_up()
            raise unavailable(TOO_LATE) from error
        if isinstance(reply, Failed):
            raise failure(reply)
        return reply

    def _call_id(self) -> int:
        self._next_call_id += 1
        return self._next_call_id

    async def _open(self) -> _Peer:
        deadline = time.monotonic() + CONNECT_SECONDS_MAX
        loop = asyncio.get_running_loop()
        while True:
            try:
                with address(self._path) as name:
                    _, peer = await loop.create_unix_connection(partial(_Peer, self._silence), name)
            except OSError as error:
                trouble = self._process.ensure()
                if trouble or time.monotonic() > deadline:
                    raise unavailable(trouble or str(error)) from error
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return peer


class _Peer(asyncio.Protocol):
    """One connection. Frames of one turn of the loop leave in one write."""

    def __init__(self, silence: Silence) -> None:
        self.is_lost = False
        self._silence = silence
        self._has_given_up = False
        self._transport: asyncio.Transport | None = None
        self._frames = FrameBuffer()
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._unsent: list[bytes] = []
        self._ended = asyncio.Event()

    @property
    def is_waiting(self) -> bool:
        """Whether something that was sent has no answer yet."""
        return bool(self._waiting)

    def ask(self, message: Message) -> asyncio.Future[Reply]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Reply] = loop.create_future()
        if self.is_lost:
            future.set_exception(unavailable("the recorder is gone"))
            return future
        frame = encode(message)
        self._waiting[message.call_id] = future
        self._silence.asked()
        if not self._unsent:
            loop.call_soon(self._send)
        self._unsent.append(frame)
        return future

    async def drain(self) -> None:
        if self._waiting:
            await asyncio.wait(list(self._waiting.values()), timeout=REPLY_SECONDS_MAX)

    async def take_leave(self) -> None:
        if self._transport is not None and not self.is_lost:
            self._transport.write(FAREWELL)
            with suppress(TimeoutError):
                async with asyncio.timeout(LEAVE_SECONDS_MAX):
                    await self._ended.wait()

    def hang_up(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def give_up(self) -> None:
        self.is_lost = self._has_given_up = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclass of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        for body in self._frames.feed(data):
            reply = decode_reply(body)
            future = self._waiting.pop(reply.call_id, None)
            if future is not None and not future.done():
                future.set_result(reply)
            self._silence.heard(is_owed=self.is_waiting)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True
        if not self._has_given_up:
            self._silence.ended()
        self._ended.set()
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(unavailable(f"the recorder went away: {exc}"))

    def _send(self) -> None:
        unsent, self._unsent = self._unsent, []
        if self._transport is not None and not self.is_lost:
            self._transport.write(b"".join(unsent))


def _look_at(opening: asyncio.Task[_Peer]) -> None:
    """Those who asked for it may all have gone: then nobody else looks at its error."""
    if not opening.cancelled():
        opening.exception()


def unavailable(internal: str) -> FareboxError:
    """503: the outcome is unknown, or nothing was tried."""
    return FareboxError(
        STORE_UNAVAILABLE, internal=internal, retry_after_seconds=RETRY_AFTER_SECONDS
    )


def failure(failed: Failed) -> FareboxError:
    """The error that the recorder met."""
    kind = CATALOGUE[failed.code]
    if kind is STORE_UNAVAILABLE:
        return unavailable(failed.internal)
    params: dict[str, Any] = {
        name: Phrase(value.msgid, **value.params) if isinstance(value, Said) else value
        for name, value in failed.params.items()
    }
    return FareboxError(kind, internal=failed.internal, **params)

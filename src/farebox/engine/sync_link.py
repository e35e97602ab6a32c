"""The blocking way to the recorder, for the command line: one message at a time, or a stream."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import msgspec

from farebox.core.errors import FareboxError
from farebox.core.request import Capture, MeteredRequest
from farebox.engine.link import Answer, failure, unavailable
from farebox.engine.messages import (
    Answered,
    Call,
    Drawn,
    Failed,
    FrameBuffer,
    Message,
    Record,
    Recorded,
    Reply,
    Voided,
    decode_reply,
    encode,
)
from farebox.engine.paths import address, socket_path
from farebox.engine.spawn import CONNECT_SECONDS_MAX, RETRY_SECONDS, RecorderProcess

REPLY_SECONDS_MAX = 120.0
READ_BYTES = 1024 * 1024
END_OF_STREAM = "end of stream"


class SyncLink:
    """A connection to the recorder; connects when it is made. A context manager.

    Raises:
        FareboxError: 503, no recorder could be reached.
    """

    def __init__(self, place: Path, process: RecorderProcess) -> None:
        self._frames = FrameBuffer()
        self._replies: list[Reply] = []
        self._next_call_id = 0
        self._socket = _connect(socket_path(place), process)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; the recorder ends by itself when it has no peers."""
        self._socket.close()

    def call(
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
        self._send(Call(self._call_id(), name, packed, actor, idempotency_key))
        reply = self._checked(self._receive())
        assert isinstance(reply, Answered)
        return msgspec.msgpack.decode(reply.answer, type=answer)

    def record(
        self,
        rows: list[MeteredRequest],
        captures: Sequence[Capture] = (),
        *,
        is_import: bool = False,
    ) -> Recorded:
        """Record requests and wait for the commit."""
        self.send_record(rows, captures, is_import=is_import)
        return self.receive_recorded()

    def send_record(
        self,
        rows: list[MeteredRequest],
        captures: Sequence[Capture] = (),
        *,
        is_import: bool = False,
    ) -> None:
        """Send requests without waiting; each is answered by one `receive_recorded`, in order."""
        self._send(Record(self._call_id(), rows, list(captures), is_import))

    def receive_recorded(self) -> Recorded:
        """The outcome of the oldest record not yet answered."""
        reply = self._checked(self._receive())
        assert isinstance(reply, Recorded)
        return reply

    def _call_id(self) -> int:
        self._next_call_id += 1
        return self._next_call_id

    def _send(self, message: Message) -> None:
        frame = encode(message)
        try:
            self._socket.sendall(frame)
        except OSError as error:
            raise self._gone(str(error)) from error

    def _receive(self) -> Reply:
        while not self._replies:
            try:
                data = self._socket.recv(READ_BYTES)
            except OSError as error:
                raise self._gone(str(error)) from error
            if not data:
                raise self._gone(END_OF_STREAM)
            self._replies += [decode_reply(body) for body in self._frames.feed(data)]
        return self._replies.pop(0)

    def _gone(self, why: str) -> FareboxError:
        """Hang up: what comes after a lost reply would be taken for another's."""
        self.close()
        return unavailable(f"the recorder went away: {why}")

    def _checked(self, reply: Reply) -> Recorded | Answered | Drawn | Voided:
        if isinstance(reply, Failed):
            raise failure(reply)
        return reply


def _connect(path: Path, process: RecorderProcess) -> socket.socket:
    deadline = time.monotonic() + CONNECT_SECONDS_MAX
    while True:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(REPLY_SECONDS_MAX)
        try:
            with address(path) as name:
                connection.connect(name)
        except OSError as error:
            connection.close()
            trouble = process.ensure()
            if trouble or time.monotonic() > deadline:
                raise unavailable(trouble or str(error)) from error
            time.sleep(RETRY_SECONDS)
        else:
            return connection

"""Two calls with one Idempotency-Key at the same time: the second is refused, and may come again.

The link is the real one; at its other end is a recorder that answers when the test says so.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from farebox.core.errors import IN_FLIGHT, FareboxError
from farebox.engine.link import Link
from farebox.engine.messages import Answered, Call, FrameBuffer, decode_message, encode
from farebox.engine.paths import socket_path
from farebox.engine.spawn import RecorderProcess
from farebox.service.forms.common import Nothing


class SlowRecorder:
    """Takes calls, and answers them all at once."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.arrived = asyncio.Event()
        self.gone = asyncio.Event()
        self._writer: asyncio.StreamWriter | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        frames = FrameBuffer()
        while data := await reader.read(65536):
            for body in frames.feed(data):
                message = decode_message(body)
                assert isinstance(message, Call)
                self.calls.append(message)
                self.arrived.set()
        writer.close()
        await writer.wait_closed()
        self.gone.set()

    def answer(self) -> None:
        assert self._writer is not None
        nothing = msgspec.msgpack.encode(Nothing())
        for call in self.calls:
            self._writer.write(encode(Answered(call.call_id, nothing, 0)))
        self.calls.clear()
        self.arrived.clear()


async def two_at_once(database: Path) -> None:
    recorder = SlowRecorder()
    server = await asyncio.start_unix_server(recorder.serve, str(socket_path(database)))
    link = Link(database, RecorderProcess(["false"]))

    def call(key: str | None, actor: str = "token:1") -> asyncio.Task[Nothing]:
        return asyncio.create_task(
            link.call("x", Nothing(), Nothing, actor=actor, idempotency_key=key)
        )

    first = call("one")
    await recorder.arrived.wait()
    with pytest.raises(FareboxError) as caught:
        await call("one")
    assert caught.value.kind is IN_FLIGHT
    others = [call("two"), call("one", actor="token:2"), call(None), call(None)]
    while len(recorder.calls) < 5:
        recorder.arrived.clear()
        await recorder.arrived.wait()
    recorder.answer()
    await asyncio.gather(first, *others)
    again = call("one")
    await recorder.arrived.wait()
    recorder.answer()
    await again
    await link.close()
    await recorder.gone.wait()
    server.close()
    await server.wait_closed()


def test_a_call_that_is_still_being_processed_is_not_begun_again(tmp_path: Path) -> None:
    asyncio.run(two_at_once(tmp_path / "farebox.db"))

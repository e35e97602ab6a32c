"""The channel: a worker's line to its supervisor.

It tells when the worker listens, and about once a second what it has counted, so that little is
lost of the numbers of a worker that is killed. When the supervisor has gone the worker stops, in
good order: nobody would end it any more.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from contextlib import suppress

from farebox.api.context import Context
from farebox.api.health import numbers_now
from farebox.service.numbers import Number
from farebox.workers.messages import (
    LINE_BYTES_MAX,
    FromWorker,
    Gather,
    Ready,
    Tell,
    Told,
    line,
    to_worker,
)

TELL_SECONDS = 1.0
GATHER_SECONDS_MAX = 2.0
LAST_SECONDS_MAX = 2.0
log = logging.getLogger("farebox.worker")


class Channel:
    """One per worker. `run` goes on beside the server; `finish` comes after it."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        # What is left when the stream that is made of the other is closed.
        self._last_end = end.dup()
        self._context: Context | None = None
        self._unsent: list[FromWorker] = []
        self._writer: asyncio.StreamWriter | None = None
        self._asking: list[asyncio.Future[list[Number]]] = []

    def tell_ready(self, url: str) -> None:
        """The worker listens."""
        self._send(Ready(url))

    async def run(self, context: Context) -> None:
        """Until it is cancelled."""
        self._context = context
        reader, writer = await asyncio.open_unix_connection(sock=self._end, limit=LINE_BYTES_MAX)
        self._writer = writer
        for message in self._unsent:
            self._send(message)
        telling = asyncio.create_task(self._tell_often())
        try:
            await self._listen(reader)
            log.warning("the supervisor has gone")
            signal.raise_signal(signal.SIGTERM)
        finally:
            telling.cancel()
            self._writer = None
            with suppress(OSError):
                await writer.drain()
            writer.close()

    async def gather(self) -> list[Number]:
        """The numbers of all workers; its own alone when the supervisor doesn't answer."""
        answer: asyncio.Future[list[Number]] = asyncio.get_running_loop().create_future()
        self._asking.append(answer)
        self._send(Gather())
        try:
            async with asyncio.timeout(GATHER_SECONDS_MAX):
                return await answer
        except TimeoutError:
            return self._numbers()

    def finish(self) -> None:
        """Tell the last numbers, when the server has stopped."""
        self._last_end.settimeout(LAST_SECONDS_MAX)
        with self._last_end, suppress(OSError):
            self._last_end.sendall(line(Told(self._numbers())))

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with suppress(OSError):
            while received := await reader.readline():
                message = to_worker(received)
                if isinstance(message, Tell):
                    self._send(Told(self._numbers()))
                    continue
                asking, self._asking = self._asking, []
                for answer in asking:
                    if not answer.done():
                        answer.set_result(message.numbers)

    async def _tell_often(self) -> None:
        while True:
            self._send(Told(self._numbers()))
            await asyncio.sleep(TELL_SECONDS)

    def _numbers(self) -> list[Number]:
        return [] if self._context is None else numbers_now(self._context)

    def _send(self, message: FromWorker) -> None:
        if self._writer is None:
            self._unsent.append(message)
        else:
            self._writer.write(line(message))


def channel_of(descriptor: int) -> Channel:
    """The channel at a descriptor that was inherited; no child of ours inherits it too."""
    os.set_inheritable(descriptor, False)  # noqa: FBT003 - the library's form
    return Channel(socket.socket(fileno=descriptor))

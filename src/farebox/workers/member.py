"""A member: one worker's process as its supervisor sees it.

A fresh process of its own session, so that a terminal's interrupt reaches the supervisor first. Its
line ends when the process does.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Self

import msgspec

from farebox.workers.messages import (
    LINE_BYTES_MAX,
    FromWorker,
    Ready,
    Tell,
    Told,
    ToWorker,
    from_worker,
    line,
)


class Member:
    """A worker that was started. `hear` is called with all it says but that it is ready."""

    def __init__(
        self,
        worker_id: int,
        process: asyncio.subprocess.Process,
        hear: Callable[[Member, FromWorker], None],
    ) -> None:
        self.worker_id = worker_id
        self.url = ""
        self._process = process
        self._hear = hear
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self._is_ready = asyncio.Event()
        self._telling: list[asyncio.Future[None]] = []

    @classmethod
    async def start(
        cls,
        worker_id: int,
        module: str,
        environment: Mapping[str, str],
        hear: Callable[[Member, FromWorker], None],
    ) -> Self:
        """Start a worker."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", module, str(theirs.fileno())),
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        member = cls(worker_id, process, hear)
        reader, member._writer = await asyncio.open_unix_connection(sock=ours, limit=LINE_BYTES_MAX)
        member._listening = asyncio.create_task(member._listen(reader))
        return member

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_ready(self) -> bool:
        """Whether it has listened."""
        return self._is_ready.is_set()

    async def begun(self) -> bool:
        """Wait until it listens; False when it has ended instead."""
        assert self._listening is not None
        ready = asyncio.create_task(self._is_ready.wait())
        await asyncio.wait([ready, self._listening], return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        return self.is_ready

    async def end(self) -> int:
        """Wait for its end, and for its last word; the exit status."""
        assert self._listening is not None
        assert self._writer is not None
        status = await self._process.wait()
        await self._listening
        self._writer.close()
        return status

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; nothing where it has ended."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def say(self, message: ToWorker) -> None:
        """Tell it something."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(line(message))

    def tell(self) -> asyncio.Future[None]:
        """Have it tell its numbers; done when it has."""
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._telling.append(told)
        self.say(Tell())
        return told

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with suppress(OSError, msgspec.MsgspecError):
            while (received := await reader.readline()).endswith(b"\n"):
                message = from_worker(received)
                if isinstance(message, Ready):
                    self.url = message.url
                    self._is_ready.set()
                else:
                    self._hear(self, message)
                    if isinstance(message, Told):
                        self._has_told()
        self._has_told()

    def _has_told(self) -> None:
        telling, self._telling = self._telling, []
        for told in telling:
            if not told.done():
                told.set_result(None)

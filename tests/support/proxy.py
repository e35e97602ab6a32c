"""A proxy: the network between a node and its database, and what may become of it.

It cuts, resets and delays connections, falls silent, and loses a COMMIT or the reply to it. All
proxies run on an event loop of their own thread. `heal` makes the network whole again: what was
silent goes on where it stopped, as TCP does, so a COMMIT may arrive long after its sender has gone.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Literal, NamedTuple, Self

import uvloop

from tests.support.pg_wire import COMMITTED, Commit, Frontend

# The COMMIT never arrives; it does, and its reply doesn't; as before, but at once: nobody knows
# whether it has been done yet.
Loss = Literal["commit", "reply", "unknown"]
CHUNK_BYTES = 1 << 16
CHUNKS_WAITING_MAX = 64
CALL_SECONDS_MAX = 30.0
# When it is to be passed on, and what: bytes, the end, or what broke the connection.
Waiting = asyncio.Queue[tuple[float, bytes | OSError]]
Look = Callable[[bytes], bytes]
RESET = struct.pack("ii", 1, 0)


class Ends(NamedTuple):
    """One side of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Armed(NamedTuple):
    """What happens to the next COMMIT."""

    loss: Loss
    only_writes: bool


class Proxy:
    """Listens on a port of 127.0.0.1 and passes on to an address. Entered to run."""

    def __init__(self, authority: str) -> None:
        host, _, port = authority.rpartition(":")
        self.upstream = (host, int(port))
        self.delay_ms = 0
        self.armed: Armed | None = None
        self.lost = 0
        self.commits = 0
        self.connections: set[_Connection] = set()
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        # Keeps the port ours while nobody listens on it.
        self._holder = _bound(0)
        self.port: int = self._holder.getsockname()[1]
        self._server: asyncio.Server | None = None
        self.flowing = asyncio.Event()

    @property
    def authority(self) -> str:
        """The host and the port to connect to."""
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self.heal()
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CALL_SECONDS_MAX)
        self._loop.close()
        self._holder.close()

    # -- faults --------------------------------------------------------------------------------

    def heal(self) -> None:
        """The network is as it should be; what was silent goes on."""
        self.delay_ms = 0
        self.armed = None
        self._do(self._heal())

    def cut(self) -> None:
        """Drop all connections and refuse new ones."""
        self._do(self._cut())

    def reset(self) -> None:
        """Reset all connections, on both sides; new ones may be made."""
        self._do(self._reset())

    def half_open(self) -> None:
        """Fall silent: connections stay, and new ones are made, but nothing passes."""
        self._do(self._fall_silent())

    def reset_at_commit(self, loss: Loss, *, only_writes: bool = True) -> None:
        """Lose the next COMMIT of a transaction that wrote, or its reply; then reset."""
        self.armed = Armed(loss, only_writes)

    # -- on the loop ---------------------------------------------------------------------------

    def loss_of(self, commit: Commit) -> Loss | None:
        """What is to happen to a COMMIT."""
        self.commits += 1
        armed = self.armed
        if armed is None or (armed.only_writes and not commit.is_write):
            return None
        self.armed = None
        return armed.loss

    async def _heal(self) -> None:
        self.flowing.set()
        if self._server is None:
            self._server = await asyncio.start_server(
                self._serve, sock=_bound(self.port), backlog=128
            )

    async def _cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._reset()

    async def _reset(self) -> None:
        for connection in list(self.connections):
            connection.reset()

    async def _fall_silent(self) -> None:
        self.flowing.clear()

    async def _stop(self) -> None:
        await self._cut()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self.flowing.wait()
            upstream = Ends(*await asyncio.open_connection(*self.upstream))
        except (OSError, asyncio.CancelledError):
            # Nowhere to go, or the proxy ends: whoever waits for it would be forgotten.
            _reset(writer)
            return
        connection = _Connection(self, Ends(reader, writer), upstream)
        self.connections.add(connection)
        try:
            # Who cancels it ends the proxy; asyncio would print it.
            with suppress(asyncio.CancelledError):
                await connection.run()
        finally:
            self.connections.discard(connection)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_SECONDS_MAX)


class _Connection:
    """A client's connection, and ours to the server for it."""

    def __init__(self, proxy: Proxy, client: Ends, server: Ends) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._frontend = Frontend()
        self._is_reply_lost = False
        # The client is cut off; the server learns of it after what was on its way.
        self._has_hung_up = False
        self._tail = b""

    async def run(self) -> None:
        """Pass on, both ways, until both ends have hung up or one was reset."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for ends, others, look in (
                    (self._client, self._server, self._to_server),
                    (self._server, self._client, self._to_client),
                ):
                    queue: Waiting = asyncio.Queue(CHUNKS_WAITING_MAX)
                    tasks.create_task(self._take(ends.reader, queue))
                    tasks.create_task(self._give(queue, others.writer, look))
        except* OSError:
            self.reset()
        finally:
            self._client.writer.close()
            self._server.writer.close()

    def reset(self) -> None:
        """Reset both sides."""
        _reset(self._client.writer)
        _reset(self._server.writer)

    async def _take(self, reader: asyncio.StreamReader, queue: Waiting) -> None:
        """Take what comes; the end, and a reset, wait in line as well."""
        data: bytes | OSError = b"-"
        while data and not isinstance(data, OSError):
            try:
                data = await reader.read(CHUNK_BYTES)
            except OSError as error:
                data = error
            await queue.put((time.monotonic() + self._proxy.delay_ms / 1000, data))

    async def _give(self, queue: Waiting, writer: asyncio.StreamWriter, look: Look) -> None:
        """Pass on what was taken, when its delay is over and the network isn't silent."""
        while True:
            due, data = await queue.get()
            if due > time.monotonic():
                await asyncio.sleep(due - time.monotonic())
            await self._proxy.flowing.wait()
            if isinstance(data, OSError) and not self._has_hung_up:
                raise data
            if writer.is_closing():
                raise ConnectionResetError
            if isinstance(data, OSError) or not data:
                writer.write_eof()
                return
            writer.write(look(data))
            await writer.drain()

    def _to_server(self, data: bytes) -> bytes:
        """What of a client's bytes goes on."""
        for commit in self._frontend.feed(data):
            loss = self._proxy.loss_of(commit)
            if loss == "commit":
                self._server.writer.write(data[: max(0, commit.at_bytes)])
                self._lose()
            elif loss == "reply":
                self._is_reply_lost = True
            elif loss == "unknown":
                self._proxy.lost += 1
                self._has_hung_up = True
                _reset(self._client.writer)
        return data

    def _to_client(self, data: bytes) -> bytes:
        """What of a server's bytes goes on."""
        if self._has_hung_up:
            return b""
        if self._is_reply_lost:
            self._tail += data
            if COMMITTED in self._tail:
                self._lose()
            self._tail = self._tail[-len(COMMITTED) :]
        return data

    def _lose(self) -> None:
        self._proxy.lost += 1
        raise ConnectionResetError


def _bound(port: int) -> socket.socket:
    """A socket on a port of 127.0.0.1 that others of ours may be bound to as well."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind(("127.0.0.1", port))
    return bound


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with a reset, whatever waits to be sent."""
    if writer.is_closing():
        return
    with suppress(OSError, ValueError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()

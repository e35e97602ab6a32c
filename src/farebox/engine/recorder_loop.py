"""The recorder's process: one thread, a lock, a Unix socket, and the recorder in the middle.

It reads what all peers sent, hands the messages over as one group, and writes the replies. While a
commit runs, what arrives waits in the sockets: the next commit takes all of it. It ends when the
last peer has gone for a while, or has said farewell, and then hears the end after it; or when it is
told to, after its peers, who are told too, have sent what they still had.

What it holds is bounded: beyond a bound it reads no more, and the peers' own bounds hold.
"""

from __future__ import annotations

import fcntl
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType

import msgspec

from farebox.engine.messages import (
    Draw,
    FrameBuffer,
    Message,
    Record,
    Reply,
    decode_message,
    encode,
)
from farebox.engine.paths import address, lock_path, socket_path
from farebox.engine.recorder import Recorder

READ_BYTES = 1024 * 1024
SOCKET_BUFFER_BYTES = 4 * 1024 * 1024
LINGER_SECONDS = 2.0
STOP_SECONDS_MAX = 3.0
FLUSH_SECONDS_MAX = 5.0
ROWS_PER_COMMIT_MAX = 20_000
WAITING_MAX = 100_000
UNSENT_BYTES_MAX = 16 * 1024 * 1024


class _Peer:
    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.frames = FrameBuffer()
        self.unsent = bytearray()
        # By which it draws; a peer's connection is its process's life.
        self.lease_id: int | None = None
        # It has said farewell, and waits for the end of the connection.
        self.is_leaving = False


class RecorderLoop:
    """Serves peers until none is left for `LINGER_SECONDS`, or until `stop`.

    `path` is where the listener is bound.
    """

    def __init__(self, recorder: Recorder, listener: socket.socket, path: Path) -> None:
        self._recorder = recorder
        self._listener = listener
        self._path = path
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._peers: dict[int, _Peer] = {}
        self._waiting: list[tuple[_Peer, Message]] = []
        # How much waits: a row counts as one, and so does the message around it.
        self._weight = 0
        self._alone_since = time.monotonic()
        self._stopping_since: float | None = None

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """End when the peers have gone, or soon."""
        self._stopping_since = time.monotonic()

    def wake_on(self, awake: socket.socket) -> None:
        """Look around at once when a byte comes in here: a signal doesn't end a wait by itself."""
        awake.settimeout(0)
        self._selector.register(awake, selectors.EVENT_READ, awake.recv)

    def run(self) -> None:
        """Serve until it is time to end."""
        wait_ms = self._recorder.tick()
        while not self._is_over():
            self._poll(0 if self._waiting else wait_ms / 1000)
            if self._waiting:
                self._handle()
            wait_ms = self._recorder.tick()
        self._finish()

    def _is_over(self) -> bool:
        now = time.monotonic()
        if self._stopping_since is not None:
            self._accept()  # whoever came before the end is heard
        leaving = [peer for peer in self._peers.values() if peer.is_leaving]
        is_alone = len(leaving) == len(self._peers)
        if not is_alone:
            self._alone_since = now
            for peer in leaving:
                self._drop(peer)
        if self._stopping_since is not None:
            return is_alone or now - self._stopping_since > STOP_SECONDS_MAX
        is_time = bool(leaving) or now - self._alone_since > LINGER_SECONDS
        return is_alone and is_time and self._has_left()

    def _has_left(self) -> bool:
        """Take the name from the door, unless somebody has come in at the last moment."""
        hidden = self._path.with_name(self._path.name + "~")
        try:
            self._path.rename(hidden)
        except FileNotFoundError:
            return True  # the folder is gone: nobody can come any more
        before = len(self._peers)
        self._accept()
        if len(self._peers) > before:
            hidden.rename(self._path)
            return False
        hidden.unlink(missing_ok=True)
        return True

    def _poll(self, timeout_seconds: float) -> None:
        for key, mask in self._selector.select(timeout_seconds):
            if key.fileobj is self._listener:
                self._accept()
                continue
            if key.data is not None:
                key.data(READ_BYTES)
                continue
            peer = self._peers[key.fd]
            if mask & selectors.EVENT_WRITE:
                self._flush(peer)
            if mask & selectors.EVENT_READ and self._weight < WAITING_MAX:
                self._read(peer)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return  # it has gone again, or there are too many; whoever is here is served
        connection.settimeout(0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER_BYTES)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER_BYTES)
        self._peers[connection.fileno()] = _Peer(connection)
        self._selector.register(connection, selectors.EVENT_READ)

    def _read(self, peer: _Peer) -> None:
        try:
            data = peer.connection.recv(READ_BYTES)
            bodies = peer.frames.feed(data) if data else None
            messages = [decode_message(body) for body in bodies or [] if body]
        except BlockingIOError:
            return
        except (OSError, ValueError, msgspec.MsgspecError):
            bodies, messages = None, []
        self._waiting += [(peer, message) for message in messages]
        self._weight += sum(map(_weight, messages))
        if bodies is None:
            self._drop(peer)
        elif b"" in bodies:
            peer.is_leaving = True

    def _handle(self) -> None:
        """One commit's worth of what waits."""
        count = rows = 0
        for _, message in self._waiting:
            rows += len(message.rows) if isinstance(message, Record) else 0
            if count and rows > ROWS_PER_COMMIT_MAX:
                break
            count += 1
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        self._weight -= sum(_weight(message) for _, message in taken)
        replies = self._recorder.handle([message for _, message in taken])
        for (peer, message), reply in zip(taken, replies, strict=True):
            if isinstance(message, Draw) and not message.is_last:
                self._note_lease(peer, message.lease_id)
            self._send(peer, reply)
        for peer in {id(peer): peer for peer, _ in taken}.values():
            self._flush(peer)

    def _note_lease(self, peer: _Peer, lease_id: int) -> None:
        peer.lease_id = lease_id
        if peer.connection.fileno() not in self._peers:
            self._recorder.hang_up(lease_id)  # it went while this waited

    def _send(self, peer: _Peer, reply: Reply) -> None:
        peer.unsent += encode(reply)

    def _flush(self, peer: _Peer) -> None:
        try:
            while peer.unsent:
                del peer.unsent[: peer.connection.send(peer.unsent)]
        except BlockingIOError:
            pass
        except OSError:
            self._drop(peer)
            return
        if peer.connection.fileno() in self._peers:
            # Who doesn't take its replies is not read from either.
            mask = selectors.EVENT_READ if len(peer.unsent) < UNSENT_BYTES_MAX else 0
            mask |= selectors.EVENT_WRITE if peer.unsent else 0
            self._selector.modify(peer.connection, mask)

    def _drop(self, peer: _Peer) -> None:
        if self._peers.pop(peer.connection.fileno(), None) is not None:
            self._selector.unregister(peer.connection)
            if peer.lease_id is not None:
                self._recorder.hang_up(peer.lease_id)
            peer.unsent.clear()
            peer.connection.close()

    def _finish(self) -> None:
        while self._waiting:
            self._handle()
        for peer in list(self._peers.values()):
            peer.connection.settimeout(FLUSH_SECONDS_MAX)
            self._flush(peer)
        self._recorder.end()
        # Whoever waits for the end may end, and take all processes along: a container's first.
        for peer in list(self._peers.values()):
            self._drop(peer)


def _weight(message: Message) -> int:
    return 1 + (len(message.rows) if isinstance(message, Record) else 0)


def serve_recorder(database: Path, make_recorder: Callable[[], Recorder]) -> bool:
    """Be the recorder of a database; False at once when another process is it already."""
    lock = os.open(lock_path(database), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return False
    path = socket_path(database)
    with suppress(FileNotFoundError):
        path.unlink()
    recorder = make_recorder()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        previous = os.umask(0o177)
        try:
            with address(path) as name:
                listener.bind(name)
        finally:
            os.umask(previous)
        listener.listen(64)
        listener.settimeout(0)
        loop = RecorderLoop(recorder, listener, path)
        awake, wake = socket.socketpair()
        wake.settimeout(0)
        loop.wake_on(awake)
        signal.set_wakeup_fd(wake.fileno())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, loop.stop)
        loop.run()
        path.unlink(missing_ok=True)
    os.close(lock)
    return True

"""A server to measure: the program as a process of its own, and a client that costs little."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ADMIN_TOKEN = "benchmark-token-of-no-one"  # noqa: S105 - of a server that lives for minutes
START_SECONDS_MAX = 30
COMMAND = [sys.executable, "-m", "farebox", "serve"]


@contextmanager
def serving(database: Path, command: Sequence[str] = COMMAND, *, workers: int = 1) -> Iterator[int]:
    """The port of a server of this database."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("FAREBOX_")},
        "FAREBOX_DATABASE": f"sqlite:///{database.resolve()}",
        "FAREBOX_PORT": str(port),
        "FAREBOX_ADMIN_TOKEN": ADMIN_TOKEN,
        "FAREBOX_CUSTOMER_REQUESTS_PER_MINUTE": "1000000",
        "FAREBOX_AUDIT_MINUTES": "0",
        "FAREBOX_LOG_LEVEL": "warning",
        "FAREBOX_WORKERS": str(workers),
    }
    server = subprocess.Popen(command, env=environment)
    try:
        _wait(port, server)
        yield port
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(START_SECONDS_MAX)


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(START_SECONDS_MAX * 50):
        assert server.poll() is None, "the server ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        try:
            server.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
    message = "the server did not start in time"
    raise RuntimeError(message)


def post(path: str, body: bytes, *, header: str = f"Authorization: Bearer {ADMIN_TOKEN}") -> bytes:
    """A whole HTTP request."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def get(path: str) -> bytes:
    """A whole HTTP request."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


class Client:
    """One kept connection that reads answers with a Content-Length."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> bytes:
        """The body of the answer, which must be 200."""
        self._socket.sendall(request)
        return self._read()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _read(self) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._receive()
        head, _, body = data.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(fields[b"content-length"])
        parts = [body]
        missing = length - len(body)
        while missing > 0:
            parts.append(self._receive())
            missing -= len(parts[-1])
        return b"".join(parts)

    def _receive(self) -> bytes:
        data = self._socket.recv(1 << 20)
        assert data, "the server hung up"
        return data

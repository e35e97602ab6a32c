"""A real nginx with a configuration that a test gives.

It runs in the foreground as whoever runs the tests, and is stopped by its own process id. Its
listening socket is made here and handed on, as nginx hands it to its own successor: so there is no
moment in which the port could be taken by another, and a caller may connect at once.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Self

import pytest

STOP_SECONDS_MAX = 30.0
HOW_TO_GET_IT = "There is no nginx. On Debian and Ubuntu: apt-get install nginx-light"
# Where nginx puts what doesn't fit into memory; the built-in places are root's.
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def program() -> str:
    """Where nginx is. Debian keeps it where only root's path leads."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.fail(HOW_TO_GET_IT, pytrace=False)
    return found


class Nginx:
    """Its port is known when it is made; it serves once it was started, until the end of `with`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.host, self.port = self._socket.getsockname()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def listen(self) -> str:
        """What its configuration must listen on."""
        return f"{self.host}:{self.port}"

    @property
    def temporary(self) -> str:
        """What its configuration must say of places for what is too large for memory."""
        return "".join(f"{name}_temp_path {self.folder}/{name};" for name in TEMPORARY)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._socket.close()

    def start(self, configuration: str) -> None:
        """Start it; what is connected from now on is served."""
        file = self.folder / "nginx.conf"
        file.write_text(configuration)
        file_number = self._socket.fileno()
        directives = "daemon off;"
        if os.geteuid() == 0:
            directives += f" user {getpass.getuser()};"
        self._process = subprocess.Popen(
            [
                *(program(), "-p", str(self.folder), "-c", str(file)),
                *("-e", str(self.folder / "error.log"), "-g", directives),
            ],
            env={**os.environ, "NGINX": f"{file_number};"},
            pass_fds=[file_number],
            stdin=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        """Let it finish what it has begun, so that every line of its log is written."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(STOP_SECONDS_MAX)
            self._process = None

    def errors(self) -> str:
        """Its error log."""
        return (self.folder / "error.log").read_text()

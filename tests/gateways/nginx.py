"""A real nginx with the shipped recipe, in which only addresses and paths are put in.

It runs in the foreground as whoever runs the tests, and is stopped by its own process id. Its
listening socket is made here and handed on, as nginx hands it to its own successor: so there is no
moment in which the port could be taken by another, and a caller may connect at once.
"""

from __future__ import annotations

import getpass
import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import NamedTuple, Self

import pytest

RECIPE = Path(__file__).parents[2] / "docs" / "gateways" / "nginx.conf"
STOP_SECONDS_MAX = 30.0
HOW_TO_GET_IT = "There is no nginx. On Debian and Ubuntu: apt-get install nginx-light"
# Where nginx puts what doesn't fit into memory; the built-in places are root's.
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
_LINE = re.compile(
    r'\S+ - - \[[^]]+\] "(?P<method>\S+) (?P<path>\S+) [^"]*" (?P<status>\d+) \d+ '
    r'"[^"]*" "[^"]*" "(?P<query_log_id>[^"]*)"'
)


class Line(NamedTuple):
    """One line of the access log; `query_log_id` is None for a request that was not admitted."""

    method: str
    path: str
    status: int
    query_log_id: str | None


def program() -> str:
    """Where nginx is. Debian keeps it where only root's path leads."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.fail(HOW_TO_GET_IT, pytrace=False)
    return found


class Nginx:
    """Started when it is entered."""

    def __init__(self, folder: Path, farebox_url: str, api_url: str) -> None:
        self.folder = folder
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        host, port = self._socket.getsockname()
        self.url = f"http://{host}:{port}"
        self._configuration = folder / "nginx.conf"
        self._configuration.write_text(self._fitted(farebox_url, api_url, f"{host}:{port}"))
        self._process: subprocess.Popen[bytes] | None = None

    def _fitted(self, farebox_url: str, api_url: str, listen: str) -> str:
        """The recipe with addresses and paths of this test."""
        text = RECIPE.read_text()
        temporary = "".join(f"{name}_temp_path {self.folder}/{name};" for name in TEMPORARY)
        for old, new in (
            ("/run/nginx.pid", f"{self.folder}/nginx.pid"),
            ("/var/log/nginx/", f"{self.folder}/"),
            ("127.0.0.1:8080", farebox_url.removeprefix("http://")),
            ("127.0.0.1:9000", api_url.removeprefix("http://")),
            ("listen 80;", f"listen {listen};"),
            ("http {\n", f"http {{ {temporary}\n"),
        ):
            assert old in text, f"the recipe has no {old}"
            text = text.replace(old, new)
        return text

    def __enter__(self) -> Self:
        file_number = self._socket.fileno()
        directives = "daemon off;"
        if os.geteuid() == 0:
            directives += f" user {getpass.getuser()};"
        self._process = subprocess.Popen(
            [
                *(program(), "-p", str(self.folder), "-c", str(self._configuration)),
                *("-e", str(self.folder / "error.log"), "-g", directives),
            ],
            env={**os.environ, "NGINX": f"{file_number};"},
            pass_fds=[file_number],
            stdin=subprocess.DEVNULL,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._socket.close()

    def stop(self) -> None:
        """Let it finish what it has begun, so that every line of its log is written."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(STOP_SECONDS_MAX)
            self._process = None

    def lines(self) -> list[Line]:
        """The access log so far."""
        found = []
        for text in (self.folder / "access.log").read_text().splitlines():
            line = _LINE.fullmatch(text)
            assert line is not None, text
            entry = line["query_log_id"].strip("-") or None
            found.append(Line(line["method"], line["path"], int(line["status"]), entry))
        return found

    def errors(self) -> str:
        """Its error log."""
        return (self.folder / "error.log").read_text()

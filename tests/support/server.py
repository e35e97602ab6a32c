"""A real server: the program in a process of its own, on a free port, and calls of it.

Its output goes to files of its folder. It is stopped, or killed, by its own process id only; its
recorder ends with it, or by itself a moment later if it was killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import httpx

from farebox.core.database_url import read_database_url
from farebox.engine.paths import lock_path, place_of
from farebox.store.database import Database
from farebox.workers.supervisor import WORKER_MODULE
from tests.support.processes import is_alive, processes_below
from tests.support.recorders import until

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 30.0
ADMIN_TOKEN = "admin-token-of-the-tests"
READY = "http://"
WORKER = WORKER_MODULE.encode()


class RunningServer:
    """Started when it is entered; ready when it has printed its URL. May be started again."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.database = folder / "farebox.db"
        self.token = ADMIN_TOKEN
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("FAREBOX_")}
        self.environment |= {
            "FAREBOX_DATABASE": f"sqlite:///{self.database}",
            "FAREBOX_PORT": "0",
            "FAREBOX_ADMIN_TOKEN": ADMIN_TOKEN,
            "FAREBOX_AUDIT_MINUTES": "0",
            "FAREBOX_RUNTIME_DIR": str(folder / "runtime"),
            **(settings or {}),
        }
        database = Database(read_database_url(self.environment["FAREBOX_DATABASE"]))
        # Where its recorder is met.
        self.place = place_of(database, Path(self.environment["FAREBOX_RUNTIME_DIR"]))
        self.stdout, self.stderr = folder / "stdout", folder / "stderr"
        self.url = ""
        self._told_bytes = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.client = httpx.Client(timeout=30)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.stop()

    def start(self) -> None:
        """Start the server, with the settings as they stand in `environment`."""
        self.launch()
        self.await_url()

    def launch(self) -> None:
        """Begin to start."""
        self._told_bytes = self.stdout.stat().st_size if self.stdout.exists() else 0
        with self.stdout.open("ab") as out, self.stderr.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "farebox", "serve"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
            )

    def await_url(self) -> None:
        """Wait until it has printed where it is."""

        def is_ready() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.errors()
            words = self.stdout.read_bytes()[self._told_bytes :].decode().split()
            self.url = next((word for word in words if word.startswith(READY)), "")
            return bool(self.url)

        until(is_ready, seconds_max=START_SECONDS_MAX)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal to the server and wait for the end of it and its recorder."""
        if self.process is None:
            return 0
        recorder = self.recorder_pid()
        self.process.send_signal(number)
        status = self.process.wait(STOP_SECONDS_MAX)
        self.process = None
        if recorder is not None:
            until(lambda: not is_alive(recorder), seconds_max=STOP_SECONDS_MAX)
        return status

    def restart(self) -> None:
        """Stop the server in good order and start it again; its recorder ends with it."""
        assert self.process is not None
        self.process.terminate()
        assert self.process.wait(STOP_SECONDS_MAX) == 0, self.errors()
        self.process = None
        self.start()

    def recorder_pid(self) -> int | None:
        """The process that holds the lock of its place."""
        wanted = lock_path(self.place)
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    files = [link.readlink() for link in (entry / "fd").iterdir()]
                    if wanted in files:
                        return int(entry.name)
        return None

    def workers(self) -> list[int]:
        """The process ids of its workers, where it has several."""
        assert self.process is not None
        return processes_below(self.process.pid, WORKER)

    def kill_recorder(self) -> None:
        """Kill the recorder, and wait until it has gone."""
        pid = self.recorder_pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        until(lambda: not is_alive(pid))

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        **more: Any,  # noqa: ANN401 - as `httpx.Client.request`
    ) -> httpx.Response:
        """The answer to a call with a bearer token, by default the configured one."""
        headers = {"Authorization": f"Bearer {token or self.token}", **more.pop("headers", {})}
        if body is not None:
            more["json"] = body
        return self.client.request(method, self.url + path, headers=headers, **more)

    def make(self, path: str, body: object, **more: Any) -> Any:  # noqa: ANN401 - any JSON
        """What a POST below `/admin/v1` makes."""
        response = self.call("POST", f"/admin/v1{path}", body, **more)
        assert response.status_code == httpx.codes.CREATED, response.text
        return response.json()

    def errors(self) -> str:
        """What it has written to stderr so far."""
        return self.stderr.read_text()

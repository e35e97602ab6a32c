"""A node of a fleet: a machine's `farebox serve` and its recorder, behind a network of its own.

A machine is a runtime folder: nodes on PostgreSQL have a recorder each. Nodes on one SQLite file
are processes of one machine and share its recorder, which is then nobody's.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.support.processes import descendants, is_alive
from tests.support.proxy import Proxy
from tests.support.recorders import until
from tests.support.server import RunningServer

SECRET = "secret-of-the-fleet-of-the-tests-00"
DATABASE, SQLITE = "FAREBOX_DATABASE", "sqlite:///"


class Node(RunningServer):
    """One of a fleet. `proxies` are its ways to the servers of the database."""

    def __init__(
        self,
        folder: Path,
        url: str,
        settings: Mapping[str, str] | None = None,
        proxies: tuple[Proxy, ...] = (),
    ) -> None:
        self.runtime = folder / "run"
        self.runtime.mkdir(0o700, parents=True)
        self.has_recorder = not url.startswith(SQLITE)
        fixed = {DATABASE: url, "FAREBOX_RUNTIME_DIR": str(self.runtime), "FAREBOX_SECRET": SECRET}
        super().__init__(folder, {**fixed, **(settings or {})})
        self.proxies = proxies
        self._stopped: list[int] = []

    @property
    def proxy(self) -> Proxy:
        """The way to the database, where there is one server."""
        (proxy,) = self.proxies
        return proxy

    def await_url(self) -> None:
        """Wait until it serves; it keeps its port from the first time on."""
        super().await_url()
        self.environment["FAREBOX_PORT"] = self.url.rpartition(":")[2]

    def pids(self) -> list[int]:
        """All processes of it; a recorder that is shared is not one."""
        assert self.process is not None
        family = [self.process.pid, *descendants(self.process.pid)]
        if self.has_recorder:
            recorder = self.recorder_pid()
            return family if recorder is None else [*family, recorder]
        shared = self.shared_recorder_pid()
        return [pid for pid in family if pid != shared]

    def shared_recorder_pid(self) -> int | None:
        """The recorder of a file, which it shares with other nodes."""
        assert not self.has_recorder
        return super().recorder_pid()

    def recorder_pid(self) -> int | None:
        """Its own recorder."""
        return super().recorder_pid() if self.has_recorder else None

    def kill(self) -> None:
        """Kill all of it at once, as a machine that loses its power."""
        self.resume()
        pids = self.pids()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert self.process is not None
        self.process.wait()
        self.process = None
        until(lambda: not any(map(is_alive, pids)))

    def pause(self) -> None:
        """Stop all of it where it stands."""
        self._stopped = self.pids()
        for pid in self._stopped:
            os.kill(pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on, if it was paused."""
        for pid in self._stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self._stopped = []

    def begin_to_stop(self) -> None:
        """Tell it to stop, and don't wait."""
        self.resume()
        if self.process is not None:
            self.process.terminate()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop it in good order, even if it was paused."""
        self.resume()
        return super().stop(number)

"""Starts the recorder's process when there is none.

Whoever gets the lock is the recorder; a process that comes second ends at once, so that starting
one too many does no harm.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from farebox.store.database import Database

CONNECT_SECONDS_MAX = 15.0
RETRY_SECONDS = 0.02
RECORDER_MODULE = "farebox.recorder"
DATABASE_VARIABLE = "FAREBOX_DATABASE"


def recorder_command(database: Path) -> list[str]:
    """The command line that starts the recorder of a database file."""
    return [sys.executable, "-m", RECORDER_MODULE, str(database.resolve())]


def recorder_process(
    database: Database, place: Path, environment: Mapping[str, str]
) -> RecorderProcess:
    """The recorder of any database; `environment` is that of this process.

    A password goes by the environment, which only the same user can read.
    """
    if database.is_file:
        return RecorderProcess(recorder_command(place))
    command = [sys.executable, "-m", RECORDER_MODULE, str(place), str(database)]
    url = database.url.reveal()
    return RecorderProcess(command, {**environment, DATABASE_VARIABLE: url})


class RecorderProcess:
    """The command that starts a recorder, and the child that was started with it last."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self._command = list(command)
        self._environment = environment
        self._child: subprocess.Popen[bytes] | None = None

    def ensure(self) -> str:
        """Start the recorder unless one's own is running; why it can't be, when it failed."""
        if self._child is not None:
            status = self._child.poll()
            if status is None:
                return ""
            self._child = None
            if status > 0:
                return f"the recorder ended with status {status}"
        # A session of its own: a terminal's interrupt must reach the server first, which then
        # finishes what it has begun. No standard output: it would keep a pipe of ours open.
        self._child = subprocess.Popen(  # noqa: S603 - our own command
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        return ""

    def end(self, seconds_max: float) -> None:
        """Tell the own child to end after what it has begun, and wait for it."""
        if self._child is not None:
            self._child.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(seconds_max)

    @property
    def pid(self) -> int | None:
        """The process id of the own child, running or ended."""
        return None if self._child is None else self._child.pid

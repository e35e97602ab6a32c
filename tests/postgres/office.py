"""An office: what an operator runs, each a program of its own, over a PostgreSQL server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from farebox.engine.spawn import recorder_process
from farebox.engine.sync_link import SyncLink
from farebox.store.database import Database
from tests.support.calls import call
from tests.support.server import RunningServer

END_SECONDS_MAX = 30.0
SECRET = "a secret that all machines share, of the tests"


class Ran(NamedTuple):
    """What a program has left: exit status, standard output and standard error."""

    status: int
    out: str
    err: str


class Office:
    """Programs with one environment: the URL in it, and a runtime folder of this machine's."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.settings = {
            "FAREBOX_DATABASE": database.url.reveal(),
            "FAREBOX_SECRET": SECRET,
            "FAREBOX_LOG_LEVEL": "debug",
        }

    def server(self, machine: str = "machine", **settings: str) -> RunningServer:
        """A server, on a machine of this name; to be entered."""
        folder = self.folder / machine
        folder.mkdir(exist_ok=True)
        return RunningServer(folder, {**self.settings, **settings})

    def run(self, *arguments: str, **settings: str | None) -> Ran:
        """Run a command to its end; None takes a setting away."""
        environment = {**self.server().environment, **settings}
        done = subprocess.run(
            [sys.executable, "-m", "farebox", *arguments],
            env={name: value for name, value in environment.items() if value is not None},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def json(self, *arguments: str) -> Any:  # noqa: ANN401 - any JSON
        """What a successful command prints with `--json`."""
        ran = self.run(*arguments, "--json")
        assert ran.status == 0, ran.err
        return json.loads(ran.out)

    def sell(self) -> str:
        """Have a log type, a plan and a workspace; its key."""
        with self.recorder() as link:
            call(link, "log_types.create", slug="people", name="P", credits=3, path="/people")
            call(link, "plans.create", slug="gold", name="Gold", credits_per_month=1000)
            profile_id = call(link, "workspaces.create", name="Acme", plan="gold").profile_id
            return str(call(link, "keys.create", profile_id=profile_id).key)

    @contextmanager
    def recorder(self) -> Iterator[SyncLink]:
        """The recorder of this machine, in a process of its own, until the end of the `with`."""
        place = self.server().place
        process = recorder_process(self.database, place, os.environ)
        with SyncLink(place, process) as link:
            yield link
        process.end(END_SECONDS_MAX)

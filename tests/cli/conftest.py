"""The command line in this process, with a recorder in one of its own, as in earnest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from farebox.cli.main import make_app, run
from farebox.engine.spawn import RecorderProcess, recorder_command
from farebox.engine.sync_link import SyncLink


class Ran(NamedTuple):
    """What a command has left: exit status, standard output and standard error."""

    status: int
    out: str
    err: str


class Cli:
    """Runs commands on a database in a temporary folder."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.path = folder / "farebox.db"
        self._capsys = capsys

    def run(self, *arguments: str) -> Ran:
        """Run a command on the test's own database."""
        return self.run_bare(*arguments, "--database", f"sqlite:///{self.path}")

    def run_bare(self, *arguments: str) -> Ran:
        """Run a command as it stands."""
        status = run(make_app(), arguments)
        return Ran(status, *self._capsys.readouterr())

    def json(self, *arguments: str) -> Any:  # noqa: ANN401 - any JSON
        """What a successful command prints with `--json`."""
        ran = self.run(*arguments, "--json")
        assert ran.status == 0, ran.err
        return json.loads(ran.out)

    def workspace(self) -> str:
        """A workspace's id, on a plan of its own."""
        self.json("plans", "create", "gold", "--name", "Gold", "--credits-per-month", "2000")
        return str(self.json("workspaces", "create", "Acme", "--plan", "gold")["profile_id"])


@pytest.fixture
def bare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """A command line where nothing is yet, and nothing runs."""
    return Cli(tmp_path, capsys)


@pytest.fixture
def cli(bare: Cli) -> Iterator[Cli]:
    """A command line beside a recorder that runs already."""
    with running(bare.path):
        yield bare


@contextmanager
def running(database: Path) -> Iterator[SyncLink]:
    """A recorder that runs, and ends with the block."""
    process = RecorderProcess(recorder_command(database))
    with SyncLink(database, process) as link:
        yield link
    assert process._child is not None
    process._child.terminate()
    assert process._child.wait() == 0

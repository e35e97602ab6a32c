"""A shop whose log is imported: a workspace with a key, two priced log types, and its web server.

The recorder runs in a process of its own, as in earnest; the commands run in this one.
"""

from __future__ import annotations

import json
import os
import signal
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, Self

import apsw
import msgspec
import pytest

from farebox.cli.main import make_app, run
from farebox.engine.spawn import RecorderProcess, recorder_command
from farebox.engine.sync_link import SyncLink
from farebox.importing.command import add_import
from farebox.service.forms.key import KeyMade, KeyMake
from farebox.service.forms.log_type import LogTypeCreate, LogTypeData
from farebox.service.forms.plan import PlanCreate, PlanData
from farebox.service.forms.workspace import WorkspaceCreate, WorkspaceData
from tests.support.truth import differences

ACTOR = "test"
STOP_SECONDS_MAX = 30.0


class Ran(NamedTuple):
    """What a command has left: exit status, standard output and standard error."""

    status: int
    out: str
    err: str


class Shop:
    """A database with its recorder. A context manager."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.path = folder / "farebox.db"
        self._capsys = capsys
        self.start()

    def __enter__(self) -> Self:
        self.profile_id = self._sell()
        self.key_id, self.key = self.new_key()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The database as a setting names it."""
        return f"sqlite:///{self.path}"

    @property
    def recorder_pid(self) -> int:
        """The process id of the recorder."""
        assert self._process.pid is not None
        return self._process.pid

    def start(self) -> None:
        """Have a recorder."""
        self._process = RecorderProcess(recorder_command(self.path))
        self._link = SyncLink(self.path, self._process)

    def stop(self) -> None:
        """Have none; it may have died already."""
        # In this order: it looks whether it is to end when a peer leaves.
        os.kill(self.recorder_pid, signal.SIGTERM)
        self._link.close()
        self._process.end(STOP_SECONDS_MAX)

    def _sell(self) -> int:
        plan = PlanCreate(slug="gold", name="Gold", credits_per_month=Decimal(1_000_000))
        self._link.call("plans.create", plan, PlanData, actor=ACTOR)
        for slug, credits, path in (
            ("people_search", 3, "/people/search"),
            ("company", 1, "/companies/{id}"),
        ):
            self.new_log_type(slug, credits, path)
        form = WorkspaceCreate(name="Acme", plan="gold", timezone="Europe/Berlin")
        return self._link.call("workspaces.create", form, WorkspaceData, actor=ACTOR).profile_id

    def new_log_type(self, slug: str, credits: int, path: str | None = None) -> None:
        """Make a log type."""
        form = LogTypeCreate(slug=slug, name=slug, credits=Decimal(credits), path=path)
        self._link.call("log_types.create", form, LogTypeData, actor=ACTOR)

    def new_key(self, secret: str | None = None) -> tuple[str, str]:
        """Make a key, or take one over; its id and its secret."""
        form = KeyMake(profile_id=self.profile_id, key=secret)
        made = self._link.call("keys.create", form, KeyMade, actor=ACTOR)
        return made.key_id, secret or str(made.key)

    def file(self, name: str, content: bytes | str) -> str:
        """The path of a file in the shop's folder."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def run(self, *arguments: str) -> Ran:
        """Run `farebox import` on the shop's own database."""
        return self.run_bare(*arguments, "--database", self.url)

    def run_bare(self, *arguments: str) -> Ran:
        """Run `farebox import` as it stands."""
        self._capsys.readouterr()
        status = run(make_app(add_import), ["import", *arguments])
        return Ran(status, *self._capsys.readouterr())

    def json(self, *arguments: str, status: int = 0) -> dict[str, Any]:
        """What `farebox import … --json` prints."""
        ran = self.run(*arguments, "--json")
        assert ran.status == status, ran
        assert ran.err == ""
        answer: dict[str, Any] = json.loads(ran.out)
        return answer

    def select(self, statement: str, *values: str | int) -> list[tuple[Any, ...]]:
        """The rows of a statement of the test's own."""
        connection = apsw.Connection(str(self.path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            return list(connection.execute(statement, values))
        finally:
            connection.close()

    def recorded(self) -> int:
        """How many requests there are."""
        ((count,),) = self.select("select count(*) from requests")
        assert isinstance(count, int)
        return count

    def check(self, count: int) -> None:
        """There are so many requests, each once, and all the books agree with them."""
        assert self.recorded() == count
        connection = apsw.Connection(str(self.path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            assert differences(connection) == []
        finally:
            connection.close()


class Counted(msgspec.Struct, frozen=True):
    """The counts of an answer that a test names; the others must be 0."""

    accepted: int = 0
    duplicates: int = 0
    skipped: int = 0
    refused: int = 0
    conflicts: int = 0


def counted(answer: dict[str, Any]) -> Counted:
    """The counts of an answer."""
    return Counted(**{name: answer[name] for name in Counted.__struct_fields__})

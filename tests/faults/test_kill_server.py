"""A server that is killed over HTTP: what it answered 200 is there, once; a retry settles the rest.

The server, its recorder or both are killed at random moments while requests come in. The seed
stands in the test's name; what the machine makes of the moments differs from run to run.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import httpx
import pytest

from farebox.core.instant import to_iso_ms
from farebox.engine.clock import wall_ms
from farebox.service.audit import run_audit
from farebox.store.sqlite.database import open_reader
from tests.support.truth import differences
from tests.support.worlds import World

TOKEN = "test-token-0123456789-0123456789-0123456789"
MORE = pytest.param(150, marks=[pytest.mark.long, pytest.mark.timeout(1_800)])
BATCHES_AT_A_TIME = 4


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """With workspace 1 and its key."""
    with World(tmp_path, now_ms=wall_ms()) as world:
        world.key(world.workspace())
    return world.path


class Server(NamedTuple):
    """A server that runs."""

    process: subprocess.Popen[str]
    url: str
    stdout: IO[str]

    def kill(self) -> None:
        """End it as nothing else would."""
        self.process.kill()
        self.process.wait()


@contextmanager
def serving(database: Path) -> Iterator[Server]:
    environment = {
        "PATH": os.environ["PATH"],
        "FAREBOX_ADMIN_TOKEN": TOKEN,
        "FAREBOX_DATABASE": f"sqlite:///{database}",
        "FAREBOX_PORT": "0",
        "FAREBOX_LOG_LEVEL": "error",
        "FAREBOX_AUDIT_MINUTES": "0",
    }
    command = [sys.executable, "-m", "farebox", "serve"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            ready = process.stdout.readline()
            url = next((word for word in ready.split() if word.startswith("http")), "")
            assert url, f"the server did not start: {ready!r}"
            yield Server(process, url, process.stdout)
        finally:
            process.kill()


def recorders(database: Path) -> list[int]:
    """The process ids of the recorders of this database; of all that run, ours are named for it."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue  # it has ended meanwhile
        if b"farebox.recorder" in words and os.fsencode(database) in words:
            found.append(int(path.parent.name))
    return found


def kill_recorder(database: Path) -> None:
    for pid in recorders(database):
        os.kill(pid, signal.SIGKILL)


class Sender:
    """Posts batches until the server is gone, what is not settled first."""

    def __init__(self, database: Path, seed: int) -> None:
        reader = open_reader(database)
        (self.key_id,) = next(iter(reader.connection.execute("select key_id from keys")))
        reader.close()
        self.random = random.Random(seed)
        self.sent = 0
        self.acknowledged: set[str] = set()
        self.refused = 0
        self.unsettled: list[list[dict[str, Any]]] = []

    def send(self, url: str, *, is_over: threading.Event | None = None) -> None:
        """Send new batches until the server is gone or it is over; without an end, settle."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=url, headers=headers, timeout=30) as client:
            while self.unsettled or is_over is not None:
                if is_over is not None and len(self.unsettled) < BATCHES_AT_A_TIME:
                    self.unsettled.append(self._batch())
                batch = self.unsettled.pop(0)
                try:
                    self._post(client, batch)
                except httpx.TransportError:
                    self.unsettled.append(batch)
                    return
                if is_over is not None and is_over.is_set():
                    return

    def _post(self, client: httpx.Client, batch: list[dict[str, Any]]) -> None:
        answer = client.post("/v1/requests", json={"requests": batch})
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            assert "retry-after" in answer.headers
            self.refused += 1
            self.unsettled.append(batch)
            return
        assert answer.status_code == httpx.codes.OK, answer.text
        told = answer.json()
        assert (told["conflicts"], told["rejected"]) == ([], [])
        assert told["accepted"] + told["duplicates"] == len(batch)
        fresh = {row["id"] for row in batch}
        assert not fresh & self.acknowledged, "an acknowledged batch is not sent again"
        self.acknowledged |= fresh

    def _batch(self) -> list[dict[str, Any]]:
        rows = []
        for _ in range(self.random.randint(1, 40)):
            self.sent += 1
            rows.append(
                {
                    "id": f"request-{self.sent}",
                    "key_id": self.key_id,
                    "credits": 0.01,
                    "time": to_iso_ms(wall_ms() - self.random.randrange(86_400_000)),
                }
            )
        return rows


def check(database: Path, sender: Sender) -> None:
    """All that was settled is there once, and every sum agrees."""
    reader = open_reader(database)
    stored = [
        i[1:].decode() for (i,) in reader.connection.execute("select identity from identities")
    ]
    assert len(stored) == len(set(stored))
    assert set(stored) == sender.acknowledged
    assert not differences(reader.connection)
    assert run_audit(reader, integrity=True).agrees
    reader.close()


@pytest.mark.parametrize("kills", [9, MORE])
@pytest.mark.parametrize("seed", [3])
def test_a_server_that_is_killed_loses_and_doubles_nothing(
    database: Path, seed: int, kills: int
) -> None:
    sender = Sender(database, seed)
    for number in range(kills):
        with serving(database) as server:
            victims = (server.kill, lambda: kill_recorder(database))
            moment = sender.random.uniform(0, 0.2)
            victim = victims[1] if number % 3 == 1 else victims[0]
            is_over = threading.Event()
            killer = threading.Timer(moment, end, [victim, is_over])
            killer.start()
            sender.send(server.url, is_over=is_over)
            killer.join()
            if number % 3 == 2:
                kill_recorder(database)
    with serving(database) as server:
        while sender.unsettled:
            sender.send(server.url)
    assert len(sender.acknowledged) == sender.sent > kills
    check(database, sender)


def end(victim: Callable[[], None], is_over: threading.Event) -> None:
    victim()
    is_over.set()


def test_a_server_told_to_stop_keeps_what_it_answered_and_ends_well(database: Path) -> None:
    sender = Sender(database, seed=4)
    with serving(database) as server:
        stopping = threading.Timer(0.2, server.process.send_signal, [signal.SIGTERM])
        stopping.start()
        sender.send(server.url, is_over=threading.Event())
        assert server.process.wait(30) == 0
    with serving(database) as server:
        sender.send(server.url)
    assert len(sender.acknowledged) == sender.sent > 0
    check(database, sender)


def test_a_lost_recorder_is_replaced_while_the_server_goes_on(database: Path) -> None:
    sender = Sender(database, seed=5)
    with serving(database) as server:
        for _ in range(4):
            is_over = threading.Event()
            killer = threading.Timer(0.05, end, [lambda: kill_recorder(database), is_over])
            killer.start()
            sender.send(server.url, is_over=is_over)
            killer.join()
        while sender.unsettled:
            sender.send(server.url)
        assert httpx.get(f"{server.url}/readyz").status_code == httpx.codes.OK
    check(database, sender)

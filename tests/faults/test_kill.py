"""kill -9 in the midst of it: what was acknowledged is there, once; a retry settles the rest.

Moments are drawn from a seed that stands in the test's name; what the machine makes of them differs
from run to run.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from farebox.core.errors import STORE_UNAVAILABLE, FareboxError
from farebox.core.request import MeteredRequest
from farebox.engine.messages import Recorded
from farebox.engine.paths import lock_path, socket_path
from farebox.engine.spawn import RecorderProcess, recorder_command
from farebox.engine.sync_link import SyncLink
from farebox.service.audit import run_audit
from farebox.store.sqlite.database import open_reader
from tests.support.recorders import until
from tests.support.truth import differences
from tests.support.worlds import MICRO, World, counts, request

MORE = pytest.param(500, marks=[pytest.mark.long, pytest.mark.timeout(1_800)])


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """With workspace 1 and its key."""
    with World(tmp_path) as world:
        world.key(world.workspace())
    return world.path


@pytest.fixture
def process(database: Path) -> Iterator[RecorderProcess]:
    made = RecorderProcess(recorder_command(database))
    yield made
    made.end(20)


class Sender:
    """Sends batches down a link until it breaks, what is not settled first."""

    def __init__(self, database: Path, seed: int) -> None:
        reader = open_reader(database)
        (self.key_id,) = next(iter(reader.connection.execute("select key_id from keys")))
        reader.close()
        self.random = random.Random(seed)
        self.sent = 0
        self.acknowledged: set[bytes] = set()
        self.repeats = 0
        self.unsettled: list[list[MeteredRequest]] = []

    def send_all(self, link: SyncLink, count: int) -> None:
        """Send some batches, several at a time under way."""
        for _ in range(count):
            self.unsettled += [self._batch() for _ in range(self.random.randint(1, 4))]
            self.settle(link)

    def settle(self, link: SyncLink) -> None:
        """Send what is not settled, and take the answers."""
        for batch in self.unsettled:
            link.send_record(batch)
        while self.unsettled:
            reply = link.receive_recorded()
            self._take(self.unsettled.pop(0), reply)

    def _take(self, batch: list[MeteredRequest], reply: Recorded) -> None:
        _, duplicates, conflicts, rejected = counts(reply, batch)
        assert (conflicts, rejected) == (0, 0)
        self.repeats += duplicates
        fresh = {row.identity for row in batch}
        assert not fresh & self.acknowledged, "an acknowledged batch is not sent again"
        self.acknowledged |= fresh

    def _batch(self) -> list[MeteredRequest]:
        rows = []
        for _ in range(self.random.randint(1, 30)):
            self.sent += 1
            name = f"request-{self.sent}"
            rows.append(request(1, name, key_id=self.key_id, credits_micro=MICRO // 100))
        return rows


def kill(pid: int | None) -> None:
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def kill_and_wait(process: RecorderProcess) -> None:
    """Who calls while it dies may still reach it."""
    kill(process.pid)
    assert process._child is not None
    process._child.wait()


def check(database: Path, sender: Sender) -> None:
    """All of it is there once, and every sum agrees."""
    reader = open_reader(database)
    stored = [i for (i,) in reader.connection.execute("select identity from identities")]
    assert len(stored) == len(set(stored)) == sender.sent
    assert set(stored) == sender.acknowledged
    assert not differences(reader.connection)
    assert run_audit(reader, integrity=True).agrees
    reader.close()


@pytest.mark.parametrize("kills", [50, MORE])
@pytest.mark.parametrize("seed", [1])
def test_a_recorder_that_is_killed_loses_and_doubles_nothing(
    database: Path, process: RecorderProcess, seed: int, kills: int
) -> None:
    sender = Sender(database, seed)
    broken = 0
    while broken < kills:
        # Who calls at once may still reach the one that dies.
        with suppress(FareboxError), SyncLink(database, process) as link:
            sender.settle(link)
            delay_seconds = sender.random.uniform(0, 0.06)
            killer = threading.Timer(delay_seconds, kill, [process.pid])
            killer.start()
            broken += 1
            with suppress(FareboxError):
                sender.send_all(link, 1_000_000)
            killer.join()
    kill_and_wait(process)
    with SyncLink(database, process) as link:
        sender.settle(link)
    assert sender.sent > kills, "there was something to kill"
    check(database, sender)


@pytest.mark.parametrize("kills", [12, MORE])
@pytest.mark.parametrize("seed", [2])
def test_a_recorder_that_is_killed_while_it_starts_harms_nothing(
    tmp_path: Path, seed: int, kills: int
) -> None:
    """From the first start on: the schema is there whole or not at all."""
    chance = random.Random(seed)
    folder = tmp_path / "new"
    folder.mkdir()
    database = folder / "farebox.db"
    for _ in range(kills):
        with subprocess.Popen(recorder_command(database)) as starting:
            with suppress(subprocess.TimeoutExpired):
                starting.wait(chance.uniform(0.05, 0.5))
            starting.kill()
    process = RecorderProcess(recorder_command(database))
    with SyncLink(database, process) as link:
        assert link.record([]).duplicates == []
    process.end(20)
    reader = open_reader(database)
    assert run_audit(reader, integrity=True).agrees
    reader.close()


def test_a_killed_recorder_frees_its_lock_and_its_socket_is_taken_over(
    database: Path, process: RecorderProcess
) -> None:
    with SyncLink(database, process) as link:
        link.record([request(1, "before")])
        first = process.pid
        kill_and_wait(process)
        with pytest.raises(FareboxError) as lost:
            link.record([request(1, "lost")])
        assert lost.value.kind is STORE_UNAVAILABLE
    assert lock_path(database).exists()
    assert socket_path(database).is_socket()
    with SyncLink(database, process) as link:
        assert counts(link.record([request(1, "before")]), 1) == (0, 1, 0, 0)
        assert process.pid != first


def test_a_link_that_has_lost_a_reply_takes_no_other_for_it(
    database: Path, process: RecorderProcess
) -> None:
    with SyncLink(database, process) as link:
        link.record([request(1, "a")])
        kill_and_wait(process)
        for _ in range(2):
            with pytest.raises(FareboxError):
                link.record([request(1, "b")])


def test_of_recorders_that_race_one_wins_and_all_callers_are_served(database: Path) -> None:
    racers = [RecorderProcess(recorder_command(database)) for _ in range(4)]
    outcomes: dict[int, Recorded] = {}

    def call(number: int) -> None:
        with SyncLink(database, racers[number]) as link:
            outcomes[number] = link.record([request(1, f"caller-{number}")])

    for racer in racers:
        racer.ensure()
    callers = [threading.Thread(target=call, args=[number]) for number in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert sorted(outcomes) == [0, 1, 2, 3]
    assert {counts(outcome, 1) for outcome in outcomes.values()} == {(1, 0, 0, 0)}
    children = [racer._child for racer in racers if racer._child is not None]
    until(lambda: [child.poll() for child in children].count(None) <= 1)
    for racer in racers:
        racer.end(20)


def test_a_recorder_ends_by_itself_when_its_last_peer_has_gone(
    database: Path, process: RecorderProcess
) -> None:
    with SyncLink(database, process) as link:
        link.record([request(1, "a")])
    child = process._child
    assert child is not None
    until(lambda: child.poll() is not None)
    assert child.returncode == 0
    assert sorted(path.name for path in database.parent.iterdir()) == [
        "farebox.db",
        "farebox.db.lock",
    ]


def test_a_recorder_told_to_end_finishes_what_it_has_begun(
    database: Path, process: RecorderProcess
) -> None:
    with SyncLink(database, process) as link:
        link.record([request(1, "first")])
        link.send_record([request(1, f"row-{n}") for n in range(5_000)])
        child = process._child
        assert child is not None
        child.terminate()
        assert counts(link.receive_recorded(), 5_000) == (5_000, 0, 0, 0)
    child.wait(20)
    assert child.returncode == 0


@pytest.mark.parametrize("name", ["d" * 100, "short"])
def test_a_database_in_a_long_path_or_by_a_link_is_served(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    with World(folder) as world:
        world.workspace()
    alias = tmp_path / "alias.db"
    alias.symlink_to(world.path)
    process = RecorderProcess(recorder_command(world.path))
    others = RecorderProcess(recorder_command(alias))
    with SyncLink(world.path, process) as link, SyncLink(alias, others) as same:
        assert counts(link.record([request(1, "a")]), 1) == (1, 0, 0, 0)
        assert counts(same.record([request(1, "a")]), 1) == (0, 1, 0, 0)
        assert others.pid is None, "there was one already"
    process.end(20)


def test_a_file_that_is_not_ours_is_told_and_not_waited_for(tmp_path: Path) -> None:
    database = tmp_path / "farebox.db"
    database.write_text("this is no database " * 50)
    with pytest.raises(FareboxError) as refused:
        SyncLink(database, RecorderProcess(recorder_command(database)))
    assert "status 1" in refused.value.internal

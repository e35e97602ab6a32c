"""Backup: whole, private, of one moment, and never in the place of something else."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import apsw
import pytest

from farebox.core.request import MeteredRequest
from farebox.engine.paths import lock_path, socket_path
from farebox.engine.spawn import RecorderProcess, recorder_command
from farebox.engine.sync_link import SyncLink
from farebox.service.audit import run_audit
from farebox.service.backup import CopyRefusedError, back_up
from farebox.service.restore import restore
from farebox.store.contract import StoreFaultError
from farebox.store.sqlite.database import open_reader
from tests.support.busy import Busy
from tests.support.harness import Harness
from tests.support.worlds import People, World, request

ROWS_PER_BATCH = 20


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    with Harness(tmp_path) as made:
        yield made


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A place for a backup, in a folder of its own."""
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder / "farebox.backup"


@contextmanager
def recording(database: Path) -> Iterator[SyncLink]:
    """A recorder process for as long as the `with`."""
    process = RecorderProcess(recorder_command(database))
    try:
        with SyncLink(database, process) as link:
            yield link
    finally:
        process.end(seconds_max=20)


class Pouring:
    """Records batch after batch on a thread; `acknowledged` counts those that were answered."""

    def __init__(self, database: Path, people: People) -> None:
        self.acknowledged = 0
        self.error: BaseException | None = None
        self._database = database
        self._people = people
        self._is_over = threading.Event()
        self._reached = threading.Condition()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        assert self.error is None

    def wait_for(self, batches: int) -> None:
        """Until so many batches are acknowledged."""
        with self._reached:
            assert self._reached.wait_for(lambda: self.acknowledged >= batches, timeout=60)

    def _run(self) -> None:
        try:
            with recording(self._database) as link:
                while not self._is_over.is_set():
                    link.record(batch(self._people, self.acknowledged))
                    with self._reached:
                        self.acknowledged += 1
                        self._reached.notify_all()
        except BaseException as error:  # noqa: BLE001 - told to the test
            self.error = error


def batch(people: People, number: int) -> list[MeteredRequest]:
    first, second = people.profile_ids
    return [
        request(
            (first, second)[row % 2],
            f"{number}-{row}",
            key_id=people.key_ids[row % 2][0],
            log_type_id=people.log_type_ids[0],
            credits_micro=row,
        )
        for row in range(ROWS_PER_BATCH)
    ]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def numbers_of(database: Path) -> dict[int, int]:
    """How many rows each recorded batch has."""
    connection = apsw.Connection(str(database))
    found: dict[int, int] = {}
    # Kind byte, then the id as it was sent: "number-row".
    for (identity,) in connection.execute("select identity from identities"):
        number = int(identity[1:].decode().partition("-")[0])
        found[number] = found.get(number, 0) + 1
    connection.close()
    return found


def test_a_backup_under_writes_holds_a_whole_prefix_with_all_that_was_acknowledged(
    tmp_path: Path, target: Path
) -> None:
    with World(tmp_path) as world:
        people = world.populate()
        database = world.path
    with Pouring(database, people) as pouring:
        for round_number in range(3):
            pouring.wait_for(20 * (round_number + 1))
            before = pouring.acknowledged
            made = back_up(database, target, force=True)
            after = pouring.acknowledged + 1  # one more may be committed and not yet answered
            pouring.wait_for(after + 5)
            restored = target.with_name(f"restored-{round_number}.db")
            told = restore(restored, target)
            found = numbers_of(restored)
            assert found == dict.fromkeys(range(len(found)), ROWS_PER_BATCH)
            assert before <= len(found) <= after
            assert told.requests == len(found) * ROWS_PER_BATCH
            assert told.commit_id == made.commit_id
    assert numbers_of(database).keys() >= set(range(pouring.acknowledged))


@pytest.mark.parametrize("seed", range(3))
def test_a_restored_backup_is_the_same_database(tmp_path: Path, target: Path, seed: int) -> None:
    restored = target.with_name("restored.db")
    with World(tmp_path, seed=seed) as world:
        Busy(world, seed).run(60)
        made = back_up(world.path, target)
        restore(restored, target)
        ((commit_id,),) = world.select("select max(commit_id) from commits")
        assert made.commit_id == commit_id
        tables = [name for (name,) in world.select("select name from pragma_table_list")]
        assert "transfers" in tables
        copy = open_reader(restored)
        for table in sorted({*tables} - {"changes", "sqlite_schema", "sqlite_temp_schema"}):
            theirs = list(copy.connection.execute(f"select * from {table}"))
            assert theirs == world.select(f"select * from {table}"), table
        assert run_audit(copy).agrees
        copy.close()


def test_no_secret_is_in_a_backup(harness: Harness, target: Path) -> None:
    canary = "canary-0123456789-abcdefghijklmnop"
    profile_id = harness.workspace()
    made = harness.call("keys.create", profile_id=profile_id, key=canary)
    drawn = harness.call("keys.create", profile_id=profile_id, idempotency_key="again")
    token = harness.call("tokens.create", name="gateway", scope="meter")
    harness.record([harness.row(profile_id, made.key_id)])
    back_up(harness.path, target)
    written = target.read_bytes()
    assert made.key_id.encode() in written, "the search finds what is there"
    for secret in (canary, drawn.key, token.token):
        assert len(secret) > 16
        assert secret.encode() not in written
    assert target.stat().st_mode & 0o077 == 0


def test_a_backup_is_one_file_and_leaves_nothing_beside_it(harness: Harness, target: Path) -> None:
    made = back_up(harness.path, target)
    assert names(target.parent) == [target.name]
    assert made.bytes == target.stat().st_size
    assert made.file == str(target)


def test_an_existing_file_is_replaced_only_when_told_so(harness: Harness, target: Path) -> None:
    target.write_bytes(b"precious")
    with pytest.raises(CopyRefusedError, match="exists already"):
        back_up(harness.path, target)
    assert target.read_bytes() == b"precious"
    back_up(harness.path, target, force=True)
    assert target.read_bytes().startswith(b"SQLite format 3")


def test_a_file_that_appears_meanwhile_is_not_replaced(
    harness: Harness, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = os.fsync

    def appear(descriptor: int) -> None:
        sync(descriptor)
        target.write_bytes(b"precious")

    monkeypatch.setattr(os, "fsync", appear)
    with pytest.raises(CopyRefusedError, match="exists already"):
        back_up(harness.path, target)
    assert target.read_bytes() == b"precious"
    assert names(target.parent) == [target.name]


@pytest.mark.parametrize("force", [False, True])
def test_the_database_itself_is_never_a_target(harness: Harness, force: bool) -> None:
    beside = [harness.path.with_name(harness.path.name + end) for end in ("", "-wal", "-shm")]
    link = harness.path.with_name("link.db")
    link.symlink_to(harness.path)
    for path in (*beside, lock_path(harness.path), socket_path(harness.path), link):
        with pytest.raises(CopyRefusedError, match="belongs to the database"):
            back_up(harness.path, path, force=force)
    harness.workspace()


def test_a_place_that_cannot_be_is_refused(harness: Harness, target: Path) -> None:
    with pytest.raises(CopyRefusedError, match="is a folder"):
        back_up(harness.path, target.parent)
    with pytest.raises(CopyRefusedError, match="there is no folder"):
        back_up(harness.path, target / "deep" / "farebox.backup")


def test_two_backups_to_one_place_do_not_mix(harness: Harness, target: Path) -> None:
    partial = target.with_name(target.name + ".partial")
    with partial.open("wb") as other:
        other.write(b"half of another one")
        other.flush()
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(CopyRefusedError, match="being written by another process"):
            back_up(harness.path, target)
        assert partial.read_bytes() == b"half of another one"
    # That process has died: what it left is of no use, and in nobody's way.
    partial.with_name(partial.name + "-journal").write_bytes(b"left over")
    back_up(harness.path, target)
    assert names(target.parent) == [target.name]


def test_a_damaged_database_makes_no_backup_and_spoils_none(tmp_path: Path, target: Path) -> None:
    with World(tmp_path) as world:
        world.populate()
        back_up(world.path, target)
        world.copy_to(target.parent)
    whole = target.read_bytes()
    damaged = target.with_name("farebox.db")
    with damaged.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(os.urandom(4096 * 5))
    with pytest.raises((CopyRefusedError, StoreFaultError)):
        back_up(damaged, target, force=True)
    assert target.read_bytes() == whole
    assert not target.with_name(target.name + ".partial").exists()


def test_a_missing_database_makes_no_backup(tmp_path: Path, target: Path) -> None:
    with pytest.raises(StoreFaultError):
        back_up(tmp_path / "nothing.db", target)
    assert names(target.parent) == []

"""Restore: nothing is lost by it, whatever is in the way, and a bad backup changes nothing."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from farebox.engine.clock import wall_ms
from farebox.engine.messages import Record, Recorded
from farebox.engine.paths import lock_path
from farebox.importing.run import PROGRESS_SUFFIX as IMPORT_SUFFIX
from farebox.recorder import make_recorder
from farebox.service.audit import run_audit
from farebox.service.backup import CopyRefusedError, back_up
from farebox.service.restore import PROGRESS_SUFFIX, BooksDifferError, restore
from farebox.store.contract import StoreFaultError
from farebox.store.database import file_database
from farebox.store.sqlite.database import open_reader
from farebox.store.sqlite.migrate import schema_version
from tests.support.worlds import World, request

KEPT = ".before-restore"


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """A backup of a database with 5 requests."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return filled(folder, requests=5)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database with 2 requests that nobody uses."""
    folder = tmp_path / "here"
    folder.mkdir()
    path = folder / "farebox.db"
    back_up_to = filled(folder, requests=2)
    for left in folder.iterdir():
        if left != back_up_to:
            left.unlink()
    return back_up_to.rename(path)


def filled(folder: Path, *, requests: int) -> Path:
    target = folder / "copy.backup"
    with World(folder) as world:
        people = world.populate()
        (profile_id, _), ((key_id, _), _) = people.profile_ids, people.key_ids
        for number in range(requests):
            world.record([request(profile_id, f"{number}", key_id=key_id, credits_micro=7)])
        back_up(world.path, target)
    return target


def requests_in(path: Path) -> int:
    connection = apsw.Connection(str(path))
    ((count,),) = connection.execute("select count(*) from requests")
    connection.close()
    assert isinstance(count, int)
    return count


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_backup_is_restored_where_nothing_is_yet(tmp_path: Path, backup: Path) -> None:
    new = tmp_path / "new.db"
    told = restore(new, backup)
    assert (told.database, told.kept_as, told.requests) == (str(new), None, 5)
    assert requests_in(new) == 5
    reader = open_reader(new)
    assert run_audit(reader, integrity=True).agrees
    reader.close()


def test_the_former_database_is_kept_and_whole(database: Path, backup: Path) -> None:
    told = restore(database, backup, force=True)
    kept = database.with_name(database.name + KEPT)
    assert told.kept_as == str(kept)
    assert (requests_in(database), requests_in(kept)) == (5, 2)
    assert told.requests == 5
    # The lock file stays where the recorder looks for it; nothing else is left over.
    assert names(database.parent) == [database.name, kept.name, lock_path(database).name]


def test_what_only_the_former_log_holds_is_kept_too(tmp_path: Path, backup: Path) -> None:
    folder = tmp_path / "crashed"
    folder.mkdir()
    crashed = folder / "farebox.db"
    with World(tmp_path, checkpoint_pages=0) as world:
        people = world.populate()
        world.record([request(people.profile_ids[0], "one", key_id=people.key_ids[0][0])])
        for suffix in ("", "-wal"):
            shutil.copy(f"{world.path}{suffix}", f"{crashed}{suffix}")
    assert crashed.with_name("farebox.db-wal").stat().st_size > 0
    restore(crashed, backup, force=True)
    assert requests_in(crashed) == 5
    assert requests_in(crashed.with_name(crashed.name + KEPT)) == 1


def test_every_former_database_gets_a_name_of_its_own(database: Path, backup: Path) -> None:
    for number in range(3):
        connection = apsw.Connection(str(database))
        connection.execute(f"create table marker_{number} (a)")
        connection.close()
        restore(database, backup, force=True)
    for number, end in enumerate(("", "-2", "-3")):
        kept = apsw.Connection(str(database.with_name(database.name + KEPT + end)))
        assert kept.table_exists("main", f"marker_{number}")
        kept.close()


def test_a_database_is_replaced_only_when_told_so(database: Path, backup: Path) -> None:
    before = database.read_bytes()
    with pytest.raises(CopyRefusedError, match="--force"):
        restore(database, backup)
    assert database.read_bytes() == before
    assert names(database.parent) == [database.name]


def test_a_database_with_a_recorder_is_left_alone(database: Path, backup: Path) -> None:
    before = database.read_bytes()
    with lock_path(database).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(CopyRefusedError, match="is being served"):
            restore(database, backup, force=True)
    assert database.read_bytes() == before
    restore(database, backup, force=True)


def test_no_recorder_can_begin_while_a_backup_is_restored(
    database: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def try_to_lock(path: Path, target: Path) -> Path:
        with lock_path(database).open("w") as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        tried.append(path)
        path.rename(target)
        return target

    monkeypatch.setattr(Path, "replace", try_to_lock)
    restore(database, backup, force=True)
    assert len(tried) == 1


def test_a_database_that_someone_has_open_is_left_alone(
    database: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farebox.store.sqlite.copy.BUSY_TIMEOUT_MS", 1)
    reader = open_reader(database)
    reader.integer("commits_last")
    with pytest.raises(CopyRefusedError, match="open elsewhere"):
        restore(database, backup, force=True)
    reader.close()
    assert requests_in(database) == 2
    restore(database, backup, force=True)
    assert requests_in(database) == 5


def test_a_damaged_database_can_be_replaced_and_is_kept(database: Path, backup: Path) -> None:
    log = database.with_name(database.name + "-wal")
    database.write_bytes(b"not a database at all" * 1000)
    log.write_bytes(b"nor is this a log")
    restore(database, backup, force=True)
    assert requests_in(database) == 5
    kept = database.with_name(database.name + KEPT)
    assert kept.read_bytes() == b"not a database at all" * 1000
    assert kept.with_name(kept.name + "-wal").read_bytes() == b"nor is this a log"


def test_a_log_without_its_database_is_not_replayed(tmp_path: Path, backup: Path) -> None:
    with World(tmp_path, checkpoint_pages=0) as world:
        world.populate()
        stray = tmp_path / "lost.db-wal"
        shutil.copy(f"{world.path}-wal", stray)
    lost = tmp_path / "lost.db"
    restore(lost, backup)
    assert not stray.exists()
    assert requests_in(lost) == 5
    reader = open_reader(lost)
    assert run_audit(reader, integrity=True).agrees
    reader.close()


def damaged(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096 * 3 + 100)
        file.write(b"\xff" * 4096)


def executed(*statements: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        connection = apsw.Connection(str(path))
        connection.pragma("journal_mode", "delete")
        for statement in statements:
            connection.execute(statement)
        connection.close()

    return change


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda path: path.write_bytes(b"x" * 5000), "NotADB"),
        (lambda path: path.write_bytes(b""), "not a database of Farebox"),
        (executed("pragma application_id = 7"), "not a database of Farebox"),
        (executed("drop table schema_state"), "not one of Farebox"),
        (executed("update schema_state set version = 9999, oldest = 9999"), "has schema 9999"),
        (damaged, "damaged|Corrupt"),
    ],
    ids=("text", "empty", "another program's", "without a schema", "of a newer one", "damaged"),
)
def test_a_backup_that_will_not_do_changes_nothing(
    database: Path, backup: Path, spoil: Callable[[Path], None], why: str
) -> None:
    before = database.read_bytes()
    spoil(backup)
    with pytest.raises((CopyRefusedError, StoreFaultError), match=why):
        restore(database, backup, force=True)
    assert database.read_bytes() == before
    assert names(database.parent) == [database.name, lock_path(database).name]


def test_a_backup_of_a_newer_farebox_that_lets_this_one_work_beside_it_is_restored(
    database: Path, backup: Path
) -> None:
    executed("update schema_state set version = 9999", "pragma user_version = 9999")(backup)
    restore(database, backup, force=True)
    assert requests_in(database) == 5
    reader = open_reader(database)
    assert schema_version(reader) == 9999
    reader.close()


def test_a_place_that_cannot_be_is_refused(database: Path, backup: Path) -> None:
    with pytest.raises(CopyRefusedError, match="there is no file"):
        restore(database, backup.with_name("nothing"), force=True)
    with pytest.raises(CopyRefusedError, match="there is no folder"):
        restore(database.parent / "deep" / "farebox.db", backup)
    with pytest.raises(CopyRefusedError, match="the database itself"):
        restore(database, database, force=True)
    link = database.with_name("link")
    link.hardlink_to(database)
    with pytest.raises(CopyRefusedError, match="the database itself"):
        restore(database, link, force=True)


def test_a_backup_whose_books_differ_is_restored_only_when_told_so(
    database: Path, backup: Path
) -> None:
    executed("update accounts set debits_micro = debits_micro + 1 where account = 'issued'")(backup)
    before = database.read_bytes()
    with pytest.raises(BooksDifferError) as refused:
        restore(database, backup, force=True)
    assert {d.check for d in refused.value.result.differences} == {"accounts", "conservation"}
    assert database.read_bytes() == before
    told = restore(database, backup, force=True, audit=False)
    assert told.requests is None
    assert requests_in(database) == 5


def test_the_backup_is_read_and_nothing_else(database: Path, backup: Path) -> None:
    for left in backup.parent.iterdir():
        if left != backup:
            left.unlink()
    before = backup.read_bytes()
    restore(database, backup, force=True)
    assert names(backup.parent) == [backup.name]
    assert backup.read_bytes() == before


def test_the_files_of_a_crashed_database_are_a_backup_too(tmp_path: Path, database: Path) -> None:
    copied = tmp_path / "copied.db"
    with World(tmp_path, checkpoint_pages=0) as world:
        people = world.populate()
        world.record([request(people.profile_ids[0], "one", key_id=people.key_ids[0][0])])
        for suffix in ("", "-wal"):
            shutil.copy(f"{world.path}{suffix}", f"{copied}{suffix}")
    restore(database, copied, force=True)
    assert requests_in(database) == 1


def test_the_restored_database_belongs_to_whom_the_former_did(database: Path, backup: Path) -> None:
    database.chmod(0o640)
    former = database.stat()
    restore(database, backup, force=True)
    now = database.stat()
    assert (now.st_mode, now.st_uid, now.st_gid) == (former.st_mode, former.st_uid, former.st_gid)


def test_a_link_to_the_database_stays_one(tmp_path: Path, database: Path, backup: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(database)
    restore(link, backup, force=True)
    assert link.is_symlink()
    assert requests_in(database) == 5


def test_a_restore_is_kept_among_the_changes(database: Path, backup: Path) -> None:
    began_ms = wall_ms()
    restore(database, backup, force=True)
    connection = apsw.Connection(str(database))
    (last,) = connection.execute(
        "select actor, action, kind, ref, at_ms from changes order by change_id desc limit 1"
    )
    connection.close()
    assert last[:4] == ("restore", "restore", "database", backup.name)
    assert last[4] >= began_ms


def test_imports_begin_anew_after_a_restore(database: Path, backup: Path) -> None:
    assert PROGRESS_SUFFIX == IMPORT_SUFFIX
    progress = database.with_name(database.name + IMPORT_SUFFIX)
    progress.mkdir()
    (progress / "0123.import.json").write_text("{}")
    restore(database, backup, force=True)
    assert not progress.exists()


def test_recording_goes_on_after_a_restore(database: Path, backup: Path) -> None:
    told = restore(database, backup, force=True)
    recorder = make_recorder(file_database(database), database)
    row = request(1, "new", key_id="key", time_ms=wall_ms())
    again = request(1, "0", key_id="key", time_ms=wall_ms())
    (reply,) = recorder.handle([Record(0, [row, again], [], is_import=False)])
    recorder.close()
    assert isinstance(reply, Recorded)
    assert reply.commit_id > told.commit_id
    assert [*reply.duplicates, *reply.conflicts] == [1], "what was recorded is known"

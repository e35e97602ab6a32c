"""The store on SQLite: errors told apart, one snapshot, bounded queries, a safe end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import apsw
import pytest

from farebox.store.contract import StoreFaultError
from farebox.store.sqlite.database import SqliteDatabase, named_queries, open_reader, open_writer
from farebox.store.sqlite.migrate import migrate
from tests.support.faulty_vfs import IO_ERROR, FaultyVfs

# The first SQLite without the bug that could corrupt a log that is reset under two connections.
SQLITE_SOUND = (3, 51, 3)


class Commit(NamedTuple):
    """A row of commits."""

    commit_id: int


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "farebox.db"


@pytest.fixture
def writer(path: Path) -> Iterator[SqliteDatabase]:
    database = open_writer(path)
    migrate(database)
    yield database
    database.close()


def add_commit(database: SqliteDatabase, commit_id: int) -> None:
    database.begin()
    database.execute("commits_insert", commit_id=commit_id, at_ms=0)
    database.commit()


def test_the_sqlite_in_use_is_a_sound_one() -> None:
    assert tuple(int(part) for part in apsw.sqlite_lib_version().split(".")) >= SQLITE_SOUND


def test_a_writer_syncs_fully_and_keeps_a_log(writer: SqliteDatabase) -> None:
    full = 2
    assert writer.connection.pragma("synchronous") == full
    assert writer.connection.pragma("journal_mode") == "wal"
    assert writer.connection.pragma("foreign_keys") == 1


def test_anything_else_is_the_stores_fault(path: Path, writer: SqliteDatabase) -> None:
    reader = open_reader(path)
    with pytest.raises(StoreFaultError, match="ReadOnly"):
        reader.execute("commits_insert", commit_id=1, at_ms=0)
    reader.close()
    with pytest.raises(StoreFaultError, match="Closed"):
        reader.integer("commits_last")
    writer.connection.execute("drop table commits")
    with pytest.raises(StoreFaultError, match="no such table"):
        writer.integer("commits_last")


def test_a_lock_held_by_another_is_a_fault_and_not_a_wait_for_ever(
    path: Path, writer: SqliteDatabase
) -> None:
    other = open_writer(path)
    other.connection.set_busy_timeout(1)
    writer.begin()
    with pytest.raises(StoreFaultError, match="Busy"):
        other.begin()
    other.close()


def test_a_file_that_is_no_database_is_a_fault(path: Path) -> None:
    path.write_bytes(b"no database at all " * 100)
    with pytest.raises(StoreFaultError, match="NotADB"):
        open_writer(path)
    with pytest.raises(StoreFaultError):
        open_reader(path).integer("commits_last")


def test_a_reader_of_no_database_makes_none(path: Path) -> None:
    with pytest.raises(StoreFaultError, match="CantOpen"):
        open_reader(path)
    assert not path.exists()


def test_a_good_end_leaves_one_file(path: Path) -> None:
    database = open_writer(path)
    migrate(database)
    add_commit(database, 1)
    database.close()
    assert [p.name for p in path.parent.iterdir()] == ["farebox.db"]
    reader = open_reader(path)
    assert reader.integer("commits_last") == 1
    reader.close()


def test_after_a_fault_the_log_is_left_for_the_next_writer(path: Path) -> None:
    """To fold it into the database could tear what the disk doesn't have."""
    with FaultyVfs() as vfs:
        healthy = open_writer(path)
        migrate(healthy)
        healthy.close()
        database = open_writer(path, vfs=vfs.vfs)
        add_commit(database, 1)
        vfs.fail_always(IO_ERROR, ("sync",))
        with pytest.raises(StoreFaultError, match="IOError"):
            add_commit(database, 2)
        vfs.heal()
        vfs.notes.clear()
        database.close()
        assert vfs.notes == []
        again = open_writer(path, vfs=vfs.vfs)
        kinds = [note.kind for note in vfs.notes if note.name == "farebox.db-wal"]
        assert kinds[-1] == "sync", "what is read back was put on the disk first"
        assert "write" in kinds
        assert again.integer("commits_last") in (1, 2)
        again.close()


def test_a_connection_that_cannot_be_set_up_is_closed(path: Path) -> None:
    with FaultyVfs() as vfs:
        healthy = open_writer(path)
        migrate(healthy)
        healthy.close()
        before = len(apsw.connections())
        vfs.fail_always(IO_ERROR, ("read",))
        with pytest.raises(StoreFaultError):
            open_writer(path, vfs=vfs.vfs)
        assert len(apsw.connections()) == before


def test_every_named_query_can_be_prepared(writer: SqliteDatabase) -> None:
    for name, sql in named_queries().items():
        plan = "explain " + sql
        try:
            writer.connection.execute(plan, Anything())
        except apsw.Error as error:
            pytest.fail(f"{name}: {error}")


class Anything(dict[str, None]):
    """A null for any parameter; by position or by name."""

    def __missing__(self, key: str) -> None:
        return None

"""Migrations of a file: what isn't ours is left alone, and a full disk harms nothing."""

from __future__ import annotations

import itertools
from contextlib import suppress
from pathlib import Path

import apsw
import pytest

from farebox.store.contract import StoreFaultError
from farebox.store.sqlite.database import SqliteDatabase, open_writer
from farebox.store.sqlite.migrate import migrate
from tests.support.faulty_vfs import DISK_FULL, FaultyVfs


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "farebox.db"


def tables(database: SqliteDatabase) -> set[object]:
    return {name for (name,) in database.connection.execute("select name from sqlite_schema")}


@pytest.mark.parametrize("version", [0, 1, 7])
def test_a_foreign_database_is_refused_and_left_as_it_was(path: Path, version: int) -> None:
    foreign = apsw.Connection(str(path))
    foreign.execute("create table theirs (a); insert into theirs values (1)")
    foreign.pragma("user_version", version)
    foreign.close()
    before = path.read_bytes()
    database = open_writer(path)
    with pytest.raises(StoreFaultError, match="not one of Farebox"):
        migrate(database)
    database.close()
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["farebox.db"]


def test_where_no_log_can_be_kept_is_no_place_for_it() -> None:
    database = open_writer(Path(":memory:"))
    with pytest.raises(StoreFaultError, match="write-ahead log"):
        migrate(database)
    database.close()


def test_a_disk_that_fills_up_leaves_what_can_be_migrated_later(path: Path) -> None:
    with FaultyVfs() as vfs:
        for number in itertools.count():
            counter = vfs.fail_call(number, DISK_FULL, ("write",))
            try_to_migrate(path, vfs)
            vfs.heal()
            again = open_writer(path)
            migrate(again)
            assert "requests" in tables(again)
            again.close()
            path.unlink()
            if not counter.is_met:
                assert number > 5
                break


def try_to_migrate(path: Path, vfs: FaultyVfs) -> None:
    with suppress(StoreFaultError):
        database = open_writer(path, vfs=vfs.vfs)
        try:
            migrate(database)
        finally:
            database.close()

"""Migrations: what is ours is brought up to date, whole or not at all; what isn't is left alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import apsw
import pytest

from farebox.store.contract import StoreFaultError
from farebox.store.sqlite import migrate as migrating
from farebox.store.sqlite.database import SqliteDatabase, open_writer
from farebox.store.sqlite.migrate import (
    Migration,
    all_migrations,
    check_schema,
    migrate,
    schema_version,
)
from tests.support.faulty_vfs import DISK_FULL, FaultyVfs


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "farebox.db"


@pytest.fixture
def database(path: Path) -> Iterator[SqliteDatabase]:
    made = open_writer(path)
    yield made
    made.close()


def tables(database: SqliteDatabase) -> set[object]:
    return {name for (name,) in database.connection.execute("select name from sqlite_schema")}


def test_a_new_file_gets_every_step_and_a_second_run_none(database: SqliteDatabase) -> None:
    assert migrate(database) == [step.name for step in all_migrations()]
    assert schema_version(database) == all_migrations()[-1].number
    assert "requests" in tables(database)
    assert migrate(database) == []


def test_steps_are_numbered_one_after_the_other() -> None:
    steps = all_migrations()
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))


def test_only_the_missing_steps_are_taken(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(database)
    known = all_migrations()
    step = Migration(len(known) + 1, "more", "create table more (a) strict")
    step = step._replace(sql="create table more (a integer) strict")
    monkeypatch.setattr(migrating, "all_migrations", lambda: [*known, step])
    assert migrate(database) == ["more"]
    assert "more" in tables(database)


def test_a_step_that_fails_leaves_nothing_of_itself(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(database)
    known = all_migrations()
    sql = "create table half (a integer) strict; insert into nowhere values (1);"
    monkeypatch.setattr(
        migrating, "all_migrations", lambda: [*known, Migration(len(known) + 1, "bad", sql)]
    )
    with pytest.raises(StoreFaultError, match="nowhere"):
        migrate(database)
    assert "half" not in tables(database)
    assert schema_version(database) == len(known)
    assert not database.connection.in_transaction


def test_a_newer_database_is_refused(database: SqliteDatabase) -> None:
    migrate(database)
    database.number("user_version", 1_000)
    with pytest.raises(StoreFaultError, match="schema 1000, of a newer Farebox"):
        migrate(database)


@pytest.mark.parametrize(("version", "words"), [(1_000, "newer"), (0, "older")])
def test_who_only_reads_is_told_of_another_schema(
    database: SqliteDatabase, version: int, words: str
) -> None:
    migrate(database)
    check_schema(database)
    database.number("user_version", version)
    with pytest.raises(StoreFaultError, match=f"schema {version}, of an? {words} Farebox"):
        check_schema(database)


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

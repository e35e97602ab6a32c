"""Migrations of both engines: whole or not at all, in two phases, and never past their bound."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from farebox.store.contract import StoreFaultError
from farebox.store.migration import Migration, SchemaState, read_migrations
from farebox.store.postgres import migrate as postgres_schema
from farebox.store.sqlite import migrate as sqlite_schema
from tests.support.cluster import Cluster
from tests.support.stores import Opened, PostgresStore, Store

More = Callable[..., list[Migration]]


@pytest.fixture
def database(store: Store) -> Iterator[Opened]:
    """A writer to an empty database."""
    opened = store.open_writer()
    yield opened
    opened.close()


@pytest.fixture
def program(store: Store, monkeypatch: pytest.MonkeyPatch) -> More:
    """Be a program that knows some more steps than this one, or none."""
    known = store.all_migrations()

    def become(*more: Migration) -> list[Migration]:
        for schema in (sqlite_schema, postgres_schema):
            monkeypatch.setattr(schema, "all_migrations", lambda: [*known, *more])
        return [*known, *more]

    return become


def step(store: Store, *, is_post: bool = False, beside: int | None = None) -> Migration:
    """The step after the last."""
    number = store.all_migrations()[-1].number + 1
    sql = "drop table more" if is_post else "create table more (a bigint)"
    sql = sql if "postgres" in str(type(store)).lower() else sql.replace("bigint", "integer")
    name = "more.post" if is_post else "more"
    return Migration(number, name, sql, is_post=is_post, beside=beside)


def test_a_new_database_gets_every_step_and_a_second_run_none(
    store: Store, database: Opened
) -> None:
    steps = store.all_migrations()
    assert store.migrate(database) == [each.name for each in steps]
    assert store.state(database).version == steps[-1].number
    assert "requests" in store.tables()
    assert store.migrate(database) == []
    store.check_schema(database)


def test_steps_are_numbered_one_after_the_other(store: Store) -> None:
    steps = [each for each in store.all_migrations() if not each.is_post]
    assert [each.number for each in steps] == list(range(1, len(steps) + 1))


def test_only_the_missing_steps_are_taken(store: Store, database: Opened, program: More) -> None:
    store.migrate(database)
    program(step(store))
    with pytest.raises(StoreFaultError, match="of an older Farebox; `farebox serve` brings it"):
        store.check_schema(database)
    assert store.migrate(database) == ["more"]
    assert "more" in store.tables()
    store.check_schema(database)


def test_a_step_that_fails_leaves_nothing_of_itself(
    store: Store, database: Opened, program: More
) -> None:
    store.migrate(database)
    before = store.state(database)
    bad = step(store)
    program(bad._replace(sql=bad.sql + "; insert into nowhere values (1);"))
    with pytest.raises(StoreFaultError, match="nowhere"):
        store.migrate(database)
    assert "more" not in store.tables()
    again = store.open_writer()
    assert store.state(again) == before
    again.close()


def test_an_older_program_works_beside_a_newer_ones_first_phase_and_not_after_the_second(
    store: Store, database: Opened, program: More
) -> None:
    store.migrate(database)
    known = store.all_migrations()[-1].number
    steps = program(step(store, beside=known), step(store, is_post=True))
    assert store.migrate(database) == ["more"]
    assert store.migrate(database) == []
    program()
    store.check_schema(database)
    assert store.migrate(database) == []
    with pytest.raises(StoreFaultError, match="the newest Farebox in use has to finish"):
        store.migrate(database, "post")
    program(*steps[-2:])
    assert store.migrate(database, "post") == ["more.post"]
    assert store.migrate(database, "post") == []
    assert "more" not in store.tables()
    store.check_schema(database)
    program()
    for refused in (store.check_schema, store.migrate):
        with pytest.raises(StoreFaultError, match=f"schema {known + 1}, of a newer Farebox"):
            refused(database)


def test_an_older_program_is_refused_where_a_step_names_no_bound(
    store: Store, database: Opened, program: More
) -> None:
    store.migrate(database)
    program(step(store))
    store.migrate(database)
    program()
    for refused in (store.check_schema, store.migrate):
        with pytest.raises(StoreFaultError, match="of a newer Farebox; this one knows"):
            refused(database)


def test_a_new_database_has_both_phases_at_once(
    store: Store, database: Opened, program: More
) -> None:
    known = store.all_migrations()[-1].number
    program(step(store, beside=known), step(store, is_post=True))
    assert store.migrate(database)[-2:] == ["more", "more.post"]
    assert store.state(database) == SchemaState(known + 1, known + 1, known + 1)


def test_the_files_say_their_phase_and_their_bound(tmp_path: Path) -> None:
    (tmp_path / "0002_b.sql").write_text("-- beside: 1\nselect 1;")
    (tmp_path / "0001_a.post.sql").write_text("select 2;")
    (tmp_path / "0001_a.sql").write_text("-- A comment.\nselect 3;")
    (tmp_path / "notes.txt").write_text("no step")
    found = read_migrations(tmp_path)
    assert [(each.name, each.is_post, each.beside) for each in found] == [
        ("0001_a", False, None),
        ("0001_a.post", True, None),
        ("0002_b", False, 1),
    ]


def test_many_nodes_that_start_at_once_migrate_once(cluster: Cluster) -> None:
    store = PostgresStore(cluster, cluster.create_database())
    opened = [store.open_writer() for _ in range(4)]
    taken: list[str] = []

    def start(writer: Opened) -> None:
        taken.extend(store.migrate(writer))

    threads = [threading.Thread(target=start, args=(writer,)) for writer in opened]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for writer in opened:
        store.check_schema(writer)
        writer.close()
    assert sorted(taken) == [each.name for each in store.all_migrations()]


def test_a_foreign_postgresql_database_is_refused_and_left_as_it_was(cluster: Cluster) -> None:
    store = PostgresStore(cluster, cluster.create_database())
    cluster.control("create table theirs (a int)", database=store.name)
    writer = store.open_writer()
    with pytest.raises(StoreFaultError, match="not empty, and not one of Farebox"):
        store.migrate(writer)
    writer.close()
    assert store.tables() == {"theirs"}

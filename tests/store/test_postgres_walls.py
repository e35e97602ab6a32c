"""Row-level security as a second wall: what reads for one workspace sees no other's rows."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from farebox.store.contract import StoreFaultError
from farebox.store.postgres.database import PostgresDatabase
from tests.store.test_contract import ENDLESS
from tests.support.recorders import until
from tests.support.stores import PostgresStore

SEES = "select profile_id from {} order by profile_id"


@pytest.fixture
def reader(postgres: PostgresStore, database: PostgresDatabase) -> Iterator[PostgresDatabase]:
    """A reader of a database with rows of three workspaces."""
    database.begin()
    database.send_many("identities_insert", [(n, b"i", bytes(16)) for n in (1, 2, 3)])
    months = [n * 2**37 for n in (1, 2, 3)]
    database.send_many(
        "captures_insert",
        [(n, months[n - 1].to_bytes(6) + bytes(10), "", "", "") for n in (1, 2, 3)],
    )
    database.commit()
    opened = postgres.open_reader()
    yield opened
    opened.close()


def seen(reader: PostgresDatabase) -> list[int]:
    """The workspaces of which the reader sees a captured body, by a query that asks for any."""
    found = []
    after = 0
    while (following := reader.value("captures_after", profile_id=after)) is not None:
        assert isinstance(following, int)
        found.append(after := following)
    return found


def test_a_query_without_a_condition_sees_one_workspace_behind_the_wall(
    reader: PostgresDatabase,
) -> None:
    assert seen(reader) == [1, 2, 3]
    with reader.wall(2):
        assert seen(reader) == [2]
        reader.begin_read()
        assert seen(reader) == [2]
        reader.end_read()
        assert seen(reader) == [2]
    with reader.wall(9):
        assert seen(reader) == []
    assert seen(reader) == [1, 2, 3]


def test_the_wall_stands_for_the_owner_of_the_tables_and_in_every_partition(
    postgres: PostgresStore, reader: PostgresDatabase
) -> None:
    assert seen(reader)
    with psycopg.connect(postgres.url) as owner:
        partitions = owner.execute(
            "select inhrelid::regclass::text from pg_inherits "
            "where inhparent = 'captures'::regclass"
        ).fetchall()
        assert len(partitions) == 3
        owner.execute("select set_config('farebox.profile_id', '2', true)")
        for table in ("identities", "captures"):
            assert owner.execute(SEES.format(table)).fetchall() == [(2,)]
        alone = [owner.execute(SEES.format(name)).fetchall() for (name,) in partitions]
        assert sorted(alone) == [[], [], [(2,)]]
        assert owner.execute("update identities set identity = 'j'").rowcount == 1
        assert owner.execute("delete from identities").rowcount == 1


def test_every_table_of_workspaces_has_its_wall(
    postgres: PostgresStore, reader: PostgresDatabase
) -> None:
    assert seen(reader)
    bare = postgres.cluster.control(
        "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid "
        "where a.attname = 'profile_id' and c.relkind in ('r', 'p') "
        "and not (c.relrowsecurity and c.relforcerowsecurity and exists ("
        "select 1 from pg_policy p where p.polrelid = c.oid and p.polcmd = '*'))",
        database=postgres.name,
    )
    assert bare == []


def test_the_wall_ends_with_what_it_was_put_up_for_whatever_happens(
    reader: PostgresDatabase,
) -> None:
    with pytest.raises(StoreFaultError), reader.wall(2):
        reader.execute("commits_insert", commit_id=1, at_ms=0)
    assert reader.has_failed


def test_the_wall_costs_no_way_to_the_server(reader: PostgresDatabase) -> None:
    for _ in range(2):
        before = reader.round_trips
        with reader.wall(2):
            assert reader.value("captures_after", profile_id=0) == 2
            reader.begin_read()
            assert reader.value("captures_after", profile_id=0) == 2
            assert reader.value("captures_after", profile_id=2) is None
            reader.end_read()
        assert reader.round_trips - before == 3
    with pytest.raises(AssertionError, match="behind one wall or behind none"):  # noqa: PT012
        reader.begin_read()
        with reader.wall(2):
            reader.script(ENDLESS)
    reader.end_read()


def test_no_snapshot_is_held_when_nobody_reads(
    postgres: PostgresStore, reader: PostgresDatabase
) -> None:
    reader.begin_read()
    reader.value("commits_last")
    reader.end_read()
    held = "select 1 from pg_stat_activity where datname = %s and backend_xmin is not null"
    until(lambda: not postgres.cluster.control(held, (postgres.name,)))

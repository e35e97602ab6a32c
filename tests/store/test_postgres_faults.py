"""PostgreSQL's locks between nodes, and faults on the way: bounded, told, and never used again."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest

from farebox.store.contract import Locks, QueryTimeoutError, StoreFaultError
from farebox.store.postgres import connection as connecting
from farebox.store.postgres.connection import open_reader, open_writer
from farebox.store.postgres.database import PostgresDatabase
from farebox.store.postgres.locks import lock_rows
from tests.store.test_contract import ENDLESS, change
from tests.support.proxy import Proxy
from tests.support.recorders import until
from tests.support.stores import PostgresStore


@pytest.fixture
def proxy(postgres: PostgresStore) -> Iterator[Proxy]:
    with Proxy(postgres.cluster.authority) as proxy:
        yield proxy


def through(proxy: Proxy, postgres: PostgresStore) -> str:
    return postgres.url.replace(postgres.cluster.authority, proxy.authority)


def test_locks_are_taken_in_one_order_the_fleets_first() -> None:
    assert lock_rows(Locks(exclusive=(9, 1), shared=(5, 1))) == [(-1, 0), (1, 1), (5, 0), (9, 1)]
    assert lock_rows(Locks(is_alone=True)) == [(-1, 1)]


@pytest.mark.parametrize(
    ("held", "wanted", "is_kept_out"),
    [
        (Locks(exclusive=(5,)), Locks(shared=(5,)), True),
        (Locks(exclusive=(5,)), Locks(exclusive=(5,)), True),
        (Locks(shared=(5,)), Locks(exclusive=(5,)), True),
        (Locks(shared=(5,)), Locks(is_alone=True), True),
        (Locks(is_alone=True), Locks(), True),
        (Locks(shared=(5,)), Locks(shared=(5,)), False),
        (Locks(exclusive=(5,)), Locks(exclusive=(6,), shared=(7,)), False),
    ],
)
def test_locks_keep_others_out_until_the_end_and_no_longer_than_that(
    postgres: PostgresStore,
    monkeypatch: pytest.MonkeyPatch,
    held: Locks,
    wanted: Locks,
    is_kept_out: bool,
) -> None:
    monkeypatch.setitem(connecting._SESSION, "lock_timeout", "50")
    first, second, third = (postgres.open_writer() for _ in range(3))
    first.begin(held)
    first.value("commits_last")
    second.begin(wanted)
    if is_kept_out:
        with pytest.raises(StoreFaultError, match="55P03"):
            second.value("commits_last")
    else:
        second.value("commits_last")
        second.commit()
    first.commit()
    third.begin(wanted)
    third.commit()
    for writer in (first, second, third):
        writer.close()


def test_nodes_that_want_the_same_workspaces_never_deadlock(postgres: PostgresStore) -> None:
    def work(workspaces: tuple[int, ...]) -> None:
        writer = postgres.open_writer()
        for turn in range(50):
            half = len(workspaces) // 2
            writer.begin(Locks(exclusive=workspaces[:half], shared=workspaces[half:]))
            writer.integer("commits_last")
            writer.commit()
            if turn % 10 == 0:
                writer.begin(Locks(is_alone=True))
                writer.commit()
        writer.close()
        done.append(1)

    done: list[int] = []
    orders = [(1, 2, 3, 4), (4, 3, 2, 1), (2, 4, 1, 3)]
    threads = [threading.Thread(target=work, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == len(orders)


def test_changes_come_into_sight_in_the_order_of_their_numbers(
    postgres: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connecting._SESSION, "lock_timeout", "50")
    first, second = postgres.open_writer(), postgres.open_writer()
    sql = "insert into changes (at_ms, actor, action, kind, ref, detail) values (1,'','','','','1')"
    first.begin()
    first.script(sql)
    second.begin()
    with pytest.raises(StoreFaultError, match="55P03"):
        second.script(sql)
    first.commit()
    assert first.integer("changes_last") == 1
    first.close()


def test_changes_of_several_nodes_have_numbers_without_gaps(postgres: PostgresStore) -> None:
    def work() -> None:
        writer = postgres.open_writer()
        for _ in range(20):
            writer.begin()
            writer.send("changes_insert", detail="{}", **change("a"))
            writer.commit()
        writer.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = postgres.cluster.control(
        "select count(*), min(change_id), max(change_id) from changes", database=postgres.name
    )
    assert numbers == [(60, 1, 60)]


def test_a_deadlock_is_a_fault_and_closes_the_connection(postgres: PostgresStore) -> None:
    first, second = postgres.open_writer(), postgres.open_writer()
    takes = "select pg_advisory_xact_lock({})"
    for writer, number in ((first, 101), (second, 102)):
        writer.begin()
        writer.script(takes.format(number))
    told: list[str] = []

    def cross(writer: PostgresDatabase, number: int) -> None:
        try:
            writer.script(takes.format(number))
        except StoreFaultError as error:
            told.append(str(error)[:5])
            assert writer.has_failed
            with pytest.raises(StoreFaultError, match="closed"):
                writer.value("commits_last")
        else:
            writer.rollback()

    thread = threading.Thread(target=cross, args=(first, 102))
    thread.start()
    cross(second, 101)
    thread.join()
    assert told == ["40P01"]
    first.close()
    second.close()


def test_a_server_that_falls_silent_is_waited_for_no_longer_than_the_bound(
    postgres: PostgresStore, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "WRITER_WAIT_MS_MAX", 1_500)
    writer = open_writer(through(proxy, postgres))
    writer.begin()
    proxy.half_open()
    writer.send("commits_insert", commit_id=1, at_ms=0)
    with pytest.raises(StoreFaultError, match="doesn't answer"):
        writer.commit()
    assert writer.has_failed
    writer.rollback()
    with pytest.raises(StoreFaultError, match="closed"):
        writer.begin()
    writer.close()


def test_a_budget_ends_also_where_the_server_is_silent(
    postgres: PostgresStore, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farebox.store.postgres.pipeline.STOPPING_MS_MAX", 100)
    reader = open_reader(through(proxy, postgres))
    proxy.half_open()
    with pytest.raises((StoreFaultError, QueryTimeoutError)), reader.budget(50):
        reader.value("commits_last")
    reader.close()


def test_a_silent_server_is_not_waited_for_when_connecting(
    postgres: PostgresStore, proxy: Proxy
) -> None:
    proxy.half_open()
    with pytest.raises(StoreFaultError, match="timeout"):
        open_writer(through(proxy, postgres) + "?connect_timeout=2")


@pytest.mark.parametrize("break_it", [Proxy.cut, Proxy.reset])
def test_a_connection_that_breaks_is_a_fault(
    postgres: PostgresStore, proxy: Proxy, break_it: object
) -> None:
    writer = open_writer(through(proxy, postgres))
    writer.begin()
    writer.value("commits_last")
    assert callable(break_it)
    break_it(proxy)
    with pytest.raises(StoreFaultError):  # noqa: PT012 - sending may tell, or waiting
        writer.send("commits_insert", commit_id=1, at_ms=0)
        writer.commit()
    writer.rollback()
    assert writer.has_failed


def test_a_session_that_is_ended_by_the_server_is_a_fault(
    postgres: PostgresStore, database: PostgresDatabase
) -> None:
    database.begin()
    database.value("commits_last")
    postgres.cluster.control(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s",
        (postgres.name,),
    )
    with pytest.raises(StoreFaultError):
        database.commit()
    assert database.has_failed


def test_a_process_that_stops_in_a_transaction_keeps_nobody_out_for_long(
    postgres: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    shortly = {"idle_in_transaction_session_timeout": "100"}
    monkeypatch.setattr(connecting, "_OF_WRITERS", shortly)
    stopped = postgres.open_writer()
    stopped.begin(Locks(is_alone=True))
    stopped.value("commits_last")
    other = postgres.open_writer()
    other.begin()
    other.commit()
    with pytest.raises(StoreFaultError):
        stopped.commit()
    other.close()


def test_a_wait_that_is_broken_off_leaves_no_answer_for_the_next(
    database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: int) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(database._pipeline, "_wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        database.script(ENDLESS)
    monkeypatch.undo()
    with pytest.raises(StoreFaultError, match="closed"):
        database.value("commits_last")


def test_a_stopped_query_runs_no_longer_on_the_server(
    postgres: PostgresStore, database: PostgresDatabase
) -> None:
    with pytest.raises(QueryTimeoutError, match="57014"), database.budget(20):
        database.script(ENDLESS)
    running = "select 1 from pg_stat_activity where datname = %s and state = 'active'"
    until(lambda: not postgres.cluster.control(running, (postgres.name,)))
    with psycopg.connect(postgres.url) as straight:
        assert straight.execute("select 1").fetchone() == (1,)

"""The proxy of the tests does what it says to a connection of the driver."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
import pytest

from tests.support.cluster import Cluster
from tests.support.proxy import Loss, Proxy
from tests.support.recorders import until

pytestmark = pytest.mark.slow

GONE = psycopg.OperationalError


class Way:
    """A database, the straight way to it, and one through a proxy."""

    def __init__(self, cluster: Cluster, proxy: Proxy) -> None:
        self.proxy = proxy
        self.cluster = cluster
        self.straight = cluster.create_database()
        self.url = self.straight.replace(cluster.authority, proxy.authority)
        with psycopg.connect(self.straight) as connection:
            connection.execute("create table marks (mark int primary key)")

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.url, connect_timeout=2)

    def marks(self) -> int:
        with psycopg.connect(self.straight) as connection:
            return len(connection.execute("select mark from marks").fetchall())

    def sessions(self) -> int:
        ((sessions,),) = self.cluster.control(
            "select count(*) from pg_stat_activity where datname = %s",
            (self.straight.rpartition("/")[2],),
        )
        assert isinstance(sessions, int)
        return sessions


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster() as cluster:
        yield cluster


@pytest.fixture
def way(cluster: Cluster) -> Iterator[Way]:
    with Proxy(cluster.authority) as proxy:
        yield Way(cluster, proxy)


def simple(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    connection.execute("insert into marks values (1)")
    connection.commit()


def pipelined(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    connection.autocommit = True
    with connection.pipeline():
        connection.execute("begin")
        connection.execute("insert into marks values (%s)", (1,))
        connection.execute("commit")


def prepared(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    connection.autocommit = True
    with connection.pipeline():
        connection.execute("begin", prepare=True)
        connection.execute("insert into marks values (%s)", (1,), prepare=True)
        connection.execute("commit", prepare=True)


def test_what_is_whole_passes(way: Way) -> None:
    with way.connect() as connection:
        with connection.cursor().copy("copy marks from stdin") as copy:
            for number in range(200_000):
                copy.write_row((number,))
        connection.commit()
        assert len(connection.execute("select mark from marks").fetchall()) == 200_000
    assert way.proxy.commits > 0


@pytest.mark.parametrize("send", [simple, pipelined, prepared])
@pytest.mark.parametrize(("loss", "marks"), [("commit", 0), ("reply", 1), ("unknown", 1)])
def test_a_commit_is_lost_or_its_reply(way: Way, send: object, loss: Loss, marks: int) -> None:
    assert callable(send)
    with way.connect() as connection:
        connection.execute("select 1")
        way.proxy.reset_at_commit(loss)
        connection.commit()  # of what wrote nothing: it passes
        with pytest.raises(GONE):
            send(connection)
    until(lambda: way.sessions() == 0)
    assert (way.marks(), way.proxy.lost) == (marks, 1)
    with way.connect() as connection:
        connection.execute("insert into marks values (2)")
    assert way.marks() == marks + 1


def test_a_cut_network_drops_and_refuses_until_it_heals(way: Way) -> None:
    with way.connect() as connection:
        connection.execute("select 1")
        way.proxy.cut()
        with pytest.raises(GONE):
            connection.execute("select 1")
    with pytest.raises(GONE, match="refused"):
        way.connect()
    way.proxy.heal()
    way.connect().close()


def test_a_reset_ends_sessions_and_lets_new_ones_come(way: Way) -> None:
    with way.connect() as connection:
        connection.execute("select 1")
        way.proxy.reset()
        with pytest.raises(GONE):
            connection.execute("select 1")
    way.connect().close()


def test_a_silent_network_keeps_its_sessions_and_goes_on_where_it_stopped(way: Way) -> None:
    connection = way.connect()
    connection.execute("insert into marks values (1)")
    way.proxy.half_open()
    with pytest.raises(GONE, match="timeout"):
        way.connect()
    connection.pgconn.send_query(b"commit")
    connection.pgconn.flush()
    connection.close()
    # Its sender has gone, and the server knows of nothing.
    assert (way.marks(), way.sessions()) == (0, 1)
    way.proxy.heal()
    until(lambda: way.marks() == 1)
    until(lambda: way.sessions() == 0)


def test_a_delay_is_one_of_each_way(way: Way) -> None:
    with way.connect() as connection:
        way.proxy.delay_ms = 50
        begun = time.monotonic()
        connection.execute("select 1")
        assert time.monotonic() - begun >= 0.1

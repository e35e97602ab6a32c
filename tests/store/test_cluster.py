"""The PostgreSQL servers of the tests: real, synced, one's own, and gone when they are to go."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.cluster import Cluster
from tests.support.pg_binaries import wheel_binaries
from tests.support.processes import descendants, is_alive
from tests.support.recorders import until

pytestmark = pytest.mark.slow

ORPHAN = """
from tests.support.cluster import Cluster
with Cluster() as cluster:
    print(cluster.process.pid, cluster.folder, flush=True)
    input()
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster() as cluster:
        yield cluster


def counted(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("select count(*) from marks").fetchone()
    assert row is not None
    assert isinstance(row[0], int)
    return row[0]


def mark(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("create table if not exists marks (mark int)")
        connection.execute("insert into marks values (1)")


def test_every_commit_is_synced(cluster: Cluster) -> None:
    assert cluster.control("show fsync") == [("on",)]
    assert cluster.control("show synchronous_commit") == [("on",)]
    assert cluster.control("show full_page_writes") == [("on",)]


def test_the_role_owns_its_databases_and_nothing_more(cluster: Cluster) -> None:
    with psycopg.connect(cluster.create_database()) as connection:
        connection.execute("create table things (thing int)")
        row = connection.execute(
            "select rolsuper, rolcreatedb, rolbypassrls from pg_roles where rolname = current_user"
        ).fetchone()
    assert row == (False, False, False)


def test_nobody_comes_in_without_the_password(cluster: Cluster) -> None:
    url = cluster.create_database().replace("password-of-the-tests", "another")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(url)


def test_a_copy_of_a_database_has_what_it_had(cluster: Cluster) -> None:
    url = cluster.create_database()
    mark(url)
    copy = cluster.create_database(url.rpartition("/")[2])
    mark(copy)
    assert (counted(url), counted(copy)) == (1, 2)
    cluster.drop_database(copy)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(copy)


@pytest.mark.parametrize("way", ["fast", "immediate", "kill"])
def test_what_was_committed_outlives_its_server(cluster: Cluster, way: str) -> None:
    url = cluster.create_database()
    mark(url)
    if way == "kill":
        cluster.kill()
        assert not cluster.is_running()
        cluster.start()
    else:
        cluster.restart(immediate=way == "immediate")
    assert counted(url) == 1


def test_a_promoted_standby_has_every_commit_that_was_answered() -> None:
    with Cluster() as primary:
        url = primary.create_database()
        standby = primary.add_standby()
        mark(url)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            mark(standby.url(url.rpartition("/")[2]))
        primary.kill()
        standby.promote()
        both = url.replace(primary.authority, f"{primary.authority},{standby.authority}")
        mark(f"{both}?target_session_attrs=read-write")
        assert counted(standby.url(url.rpartition("/")[2])) == 2


def test_a_killed_test_leaves_no_server_and_its_folder_goes_with_the_next() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ORPHAN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as test:
        assert test.stdout is not None
        pid, folder = test.stdout.readline().split()
        family = [int(pid), *descendants(int(pid))]
        assert len(family) > 1
        test.send_signal(signal.SIGKILL)
    until(lambda: not any(map(is_alive, family)))
    Cluster().close()
    assert not Path(folder).exists()


def test_the_server_of_the_wheel_serves_where_the_machine_has_none() -> None:
    carried = wheel_binaries()
    assert carried is not None, "the wheel of requirements/dev.txt is not installed"
    with Cluster(programs=carried) as cluster:
        url = cluster.create_database()
        mark(url)
        assert counted(url) == 1

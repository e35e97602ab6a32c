"""Servers that would lose or hide what was acknowledged are refused, in words that help."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from farebox.store.contract import StoreFaultError
from farebox.store.postgres import connection as connecting
from farebox.store.postgres.connection import open_reader, open_writer
from farebox.store.postgres.migrate import migrate
from tests.support.cluster import PASSWORD, Cluster
from tests.support.stores import PostgresStore


@pytest.fixture
def altered(postgres: PostgresStore) -> Iterator[PostgresStore]:
    """A database whose settings a test may alter; they go with it."""
    yield postgres
    postgres.cluster.control("alter role farebox reset all")


@pytest.mark.parametrize("value", ["off", "local"])
def test_a_server_that_commits_before_its_log_is_safe_is_refused(
    altered: PostgresStore, value: str
) -> None:
    altered.cluster.control(f"alter database {altered.name} set synchronous_commit = {value}")
    with pytest.raises(StoreFaultError, match=f"synchronous_commit is {value}: .*set it to on"):
        altered.open_writer()
    altered.open_reader().close()


@pytest.mark.parametrize("value", ["on", "remote_write", "remote_apply"])
def test_what_was_checked_stays_for_the_session(altered: PostgresStore, value: str) -> None:
    altered.cluster.control(f"alter database {altered.name} set synchronous_commit = {value}")
    writer = altered.open_writer()
    facts = writer.one("session_facts", connecting._Facts)
    assert facts is not None
    assert facts.synchronous_commit == value
    writer.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fsync", "full_page_writes"])
def test_a_server_that_a_power_cut_would_damage_is_refused(name: str) -> None:
    with Cluster(settings={name: "off"}) as cluster:
        url = cluster.create_database()
        with pytest.raises(StoreFaultError, match=f"{name} is off: .*set it to on"):
            open_writer(url)


@pytest.mark.slow
def test_a_replica_is_refused_until_it_is_the_primary() -> None:
    with Cluster() as primary:
        url = primary.create_database()
        writer = open_writer(url)
        migrate(writer)
        writer.close()
        standby = primary.add_standby()
        there = standby.url(url.rpartition("/")[2])
        for opening in (open_writer, open_reader):
            with pytest.raises(StoreFaultError, match=r"is a replica: .*give the URL of the prim"):
                opening(there)
        primary.kill()
        standby.promote()
        for opening in (open_writer, open_reader):
            opening(there).close()


def test_a_role_that_only_reads_is_no_writer(altered: PostgresStore) -> None:
    altered.cluster.control("alter role farebox set default_transaction_read_only = on")
    with pytest.raises(StoreFaultError, match="read-only by default"):
        altered.open_writer()
    altered.open_reader().close()


def test_another_encoding_is_refused(cluster: Cluster) -> None:
    cluster.control(
        "create database latin owner farebox encoding 'LATIN1' locale 'C' template template0"
    )
    with pytest.raises(StoreFaultError, match="encoding LATIN1; make one with: create database"):
        open_writer(cluster.url("latin"))
    cluster.drop_database("latin")


def test_an_old_server_is_refused(postgres: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "SERVER_VERSION_MIN", 990_000)
    with pytest.raises(StoreFaultError, match=r"the server is PostgreSQL \d+; Farebox needs 99"):
        postgres.open_writer()


@pytest.mark.parametrize(
    "change",
    [
        (PASSWORD, "wrong-" + PASSWORD),
        ("127.0.0.1:", "127.0.0.1:1"),
        ("/farebox_", "/no_such_"),
        ("postgresql://", "postgresql:/"),
        ("@127", "%zz@127"),
        ("/farebox_", "?port=x&password=" + PASSWORD + "&what="),
    ],
)
def test_no_failure_tells_the_password(postgres: PostgresStore, change: tuple[str, str]) -> None:
    for opening in (open_writer, open_reader):
        with pytest.raises(StoreFaultError) as told:
            opening(postgres.url.replace(*change, 1))
        assert str(told.value)
        assert PASSWORD not in str(told.value)
        assert told.value.__cause__ is None
        assert told.value.__suppress_context__


def test_a_role_that_no_wall_holds_is_warned_of(
    postgres: PostgresStore, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="farebox.store"):
        postgres.open_writer().close()
        assert not caplog.records
        postgres.cluster.control("alter role farebox bypassrls")
        try:
            postgres.open_writer().close()
        finally:
            postgres.cluster.control("alter role farebox nobypassrls")
    assert "row-level security" in caplog.text
    assert PASSWORD not in caplog.text


def test_a_session_is_named_and_bounded(postgres: PostgresStore) -> None:
    writer = postgres.open_writer()
    ((name,),) = postgres.cluster.control(
        "select application_name from pg_stat_activity where datname = %s", (postgres.name,)
    )
    assert name == "farebox"
    assert writer.connection.info.get_parameters()["tcp_user_timeout"] == "10000"
    assert not writer.is_alone
    writer.close()

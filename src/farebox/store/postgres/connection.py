"""Connections to a PostgreSQL server that keeps its word, and refusals of one that doesn't.

What is acknowledged has to survive, and what is read has to be what was last committed: so a
replica is refused, and a server that commits before its log is on the disk. Nothing that is said
of a failure holds a password.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import NamedTuple

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import Conninfo
from psycopg.types.numeric import NumericBinaryLoader
from psycopg.types.string import TextBinaryLoader

from farebox.store.contract import StoreFaultError
from farebox.store.postgres.database import PostgresDatabase
from farebox.store.postgres.months import Months

log = logging.getLogger("farebox.store")

# No wait of the writer is longer; a lock that doesn't come, or a transaction that a stopped process
# leaves open, ends well before.
WRITER_WAIT_MS_MAX = 10_000
LOCK_MS_MAX = 5_000
IDLE_MS_MAX = 3_000
SERVER_VERSION_MIN = 140_000

# A network that was cut is noticed in about ten seconds, also by who waits for a long report.
_CONNECTING: Mapping[str, str] = {
    "application_name": "farebox",
    "connect_timeout": "5",
    "keepalives": "1",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
_SESSION: Mapping[str, str] = {
    "client_encoding": "UTF8",
    "timezone": "UTC",
    "jit": "off",
    # What a query reads lies together and is mostly in memory. A plan's estimates don't see through
    # the walls between workspaces, and would have a short query start workers to sort a whole log.
    "random_page_cost": "1.1",
    "max_parallel_workers_per_gather": "0",
    "lock_timeout": str(LOCK_MS_MAX),
    "client_connection_check_interval": "1000",
    "farebox.slot": "0",
    "farebox.profile_id": "",
}
_OF_WRITERS: Mapping[str, str] = {
    "idle_in_transaction_session_timeout": str(IDLE_MS_MAX),
    # By keys alone, so that one plan fits all; to plan a join anew costs more than to run it.
    "plan_cache_mode": "force_generic_plan",
}
_OF_READERS: Mapping[str, str] = {
    "default_transaction_read_only": "on",
    # Workspaces differ in size by orders of magnitude: a plan for none of them fits none.
    "plan_cache_mode": "force_custom_plan",
}
# What waits for the disk here at least; `local` waits for no standby, so that a standby that takes
# over may lack what was acknowledged, now or once there is one.
_SYNCHRONOUS = {"on", "remote_apply", "remote_write"}
_SECRETS = ("password", "sslpassword")


class _IntegerLoader(NumericBinaryLoader):
    """Sums of bigint are numeric to PostgreSQL; here every number is an integer."""

    def load(self, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override]
        found = super().load(data)
        number = int(found)
        if number != found:
            message = "a query gave a number with a fraction"
            raise psycopg.DataError(message)
        return number


class _TruthLoader(TextBinaryLoader):
    """Truth is 0 or 1, as in the other engine."""

    def load(self, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override]
        return bytes(data)[0]


class _Facts(NamedTuple):
    is_in_recovery: int
    is_read_only: int
    synchronous_commit: str
    fsync: str
    full_page_writes: str
    encoding: str
    passes_walls: int


class _Name(NamedTuple):
    name: str


def open_writer(url: str) -> PostgresDatabase:
    """The writing connection of a node.

    Raises:
        StoreFaultError: it can't be opened, or the server doesn't keep what it acknowledges.
    """
    database = _connect(url, WRITER_WAIT_MS_MAX)
    try:
        facts = _begin_session(database, _OF_WRITERS)
        _check_primary(facts)
        _check_durable(facts)
        # What was checked stays, whatever the server's files say later.
        settings = {"synchronous_commit": facts.synchronous_commit}
        database.execute_many("session_set", list(settings.items()))
        database.months = Months(row.name for row in database.rows("months_made", _Name))
    except BaseException:
        database.close()
        raise
    if facts.passes_walls:
        log.warning(
            "the database's role is a superuser or bypasses row-level security: "
            "the wall between workspaces doesn't hold for it"
        )
    return database


def open_reader(url: str) -> PostgresDatabase:
    """A read-only connection to the same server that is written: a replica would lag.

    Raises:
        StoreFaultError: it can't be opened, or it is a replica.
    """
    database = _connect(url, None)
    try:
        _check_primary(_begin_session(database, {}), may_be_read_only=True)
        database.execute_many("session_set", list(_OF_READERS.items()))
    except BaseException:
        database.close()
        raise
    return database


def _connect(url: str, wait_ms_max: int | None) -> PostgresDatabase:
    try:
        given = conninfo_to_dict(url)
    except psycopg.Error:
        # The error would repeat what it couldn't read.
        message = "the URL of the database can't be read: postgresql://USER:PASSWORD@HOST:PORT/NAME"
        if unknown := _unknown_parameters(url):
            message = f"the URL of the database has parameters unknown to libpq: {unknown}"
        raise StoreFaultError(message) from None
    whole = make_conninfo(url, **{n: v for n, v in _CONNECTING.items() if n not in given})
    try:
        connection: psycopg.Connection[object] = psycopg.connect(whole, autocommit=True)
    except psycopg.Error as error:
        raise StoreFaultError(_without_secrets(str(error), given)) from None
    adapters = connection.adapters
    adapters.register_loader("numeric", _IntegerLoader)
    adapters.register_loader("bool", _TruthLoader)
    adapters.register_loader("json", TextBinaryLoader)
    version = connection.info.server_version
    if version < SERVER_VERSION_MIN:
        connection.close()
        message = (
            f"the server is PostgreSQL {version // 10_000}; "
            f"Farebox needs {SERVER_VERSION_MIN // 10_000} or later"
        )
        raise StoreFaultError(message)
    return PostgresDatabase(connection, wait_ms_max)


def _begin_session(database: PostgresDatabase, settings: Mapping[str, str]) -> _Facts:
    database.send_many("session_set", [*_SESSION.items(), *settings.items()])
    facts = database.one("session_facts", _Facts)
    assert facts is not None
    return facts


def _check_primary(facts: _Facts, *, may_be_read_only: bool = False) -> None:
    if facts.is_in_recovery:
        message = (
            "the server is a replica: reports there would lag, and nothing can be written; "
            "give the URL of the primary (target_session_attrs=read-write picks it of several)"
        )
        raise StoreFaultError(message)
    if facts.is_read_only and not may_be_read_only:
        message = (
            "transactions are read-only by default there; set default_transaction_read_only = off "
            "for the role of Farebox"
        )
        raise StoreFaultError(message)
    if facts.encoding != "UTF8":
        message = (
            f"the database has the encoding {facts.encoding}; "
            "make one with: create database NAME encoding 'UTF8' template template0"
        )
        raise StoreFaultError(message)


def _check_durable(facts: _Facts) -> None:
    if facts.synchronous_commit not in _SYNCHRONOUS:
        message = (
            f"synchronous_commit is {facts.synchronous_commit}: what was acknowledged could be "
            "lost with the server; set it to on, remote_write or remote_apply"
        )
        raise StoreFaultError(message)
    for name, setting in (("fsync", facts.fsync), ("full_page_writes", facts.full_page_writes)):
        if setting != "on":
            message = f"{name} is {setting}: a power cut could lose or damage all; set it to on"
            raise StoreFaultError(message)


def _without_secrets(text: str, given: Mapping[str, object]) -> str:
    for name in _SECRETS:
        secret = given.get(name)
        if secret:
            text = text.replace(str(secret), "...")
    return " ".join(text.split())


def _unknown_parameters(url: str) -> str:
    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    names = [pair.partition("=")[0] for pair in url.partition("?")[2].split("&")]
    return ", ".join(name for name in names if name not in known)

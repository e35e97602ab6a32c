"""A move changes no number: reports, keys, reservations and ids go on where they were."""

from __future__ import annotations

import asyncio
import fcntl
import shutil
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import apsw
import pytest

from farebox.core.key import digest
from farebox.core.request import MeteredRequest
from farebox.engine.directory import Directory
from farebox.engine.paths import lock_path
from farebox.engine.recorder import Recorder
from farebox.engine.reservation import Reservation
from farebox.service.audit import run_audit
from farebox.service.begin_anew import InUseError
from farebox.service.commands import COMMANDS
from farebox.service.move import MoveRefusedError, move
from farebox.store.contract import StoreFaultError
from farebox.store.database import Database, file_database
from farebox.store.moving import STAYS
from farebox.store.sqlite.database import open_reader
from farebox.store.sqlite.moving import Source
from tests.postgres.year import Customer, live, reports
from tests.support.cluster import Cluster
from tests.support.gates import GateWorld
from tests.support.harness import HandClock, Harness, SeededEntropy

SEED = 20_260_920


class Year(NamedTuple):
    """A file after a year, what it reports, and a call that was admitted and not settled."""

    database: Database
    customers: list[Customer]
    now_ms: int
    told: dict[str, bytes]
    reservation: Reservation
    settled: MeteredRequest


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Year:
    harness, customers = live(tmp_path_factory.mktemp("year"), SEED)
    with harness:
        gate = GateWorld(harness)
        hold = asyncio.run(gate.admitted(customers[0].key_ids[0], "a"))
        told = reports(harness.reader, customers, harness.now_ms)
        settled = gate.row(hold)
        reservation = Reservation.of(hold)
    database = file_database(harness.path)
    return Year(database, customers, harness.now_ms, told, reservation, settled)


def unseen(_what: str, _done: int, _total: int) -> None:
    """Nobody looks at the progress."""


class OverThere(Harness):
    """A harness of the database that was moved to, at the instant of the move."""

    def __init__(self, database: Database, now_ms: int) -> None:
        self.path = Path("nowhere")
        self.clock = HandClock(now_ms)
        self.entropy = SeededEntropy(now_ms)
        self.recorder = Recorder(database.open_writer, self.clock, self.entropy, COMMANDS)
        self.reader = database.open_reader()
        self.directory = Directory()
        self.directory.load(self.reader)
        self._ids = 0


def test_all_reports_are_the_same_to_the_byte_and_both_books_agree(
    year: Year, target: Database
) -> None:
    seen: list[tuple[int, int]] = []
    told = move(year.database, target, lambda _, done, total: seen.append((done, total)))
    assert told.database == str(target)
    assert told.replaced == 0
    assert seen
    with closing(target.open_checked_reader()) as reader:
        assert reports(reader, year.customers, year.now_ms) == year.told
        moved = run_audit(reader)
    with closing(year.database.open_reader()) as reader:
        stayed = run_audit(reader)
    assert moved.agrees
    assert stayed.agrees
    assert (moved.requests, moved.credits_micro) == (stayed.requests, stayed.credits_micro)
    assert told.requests == stayed.requests > 1_000


def test_every_connection_there_has_a_thousand_ids_of_commits_of_its_own(
    year: Year, target: Database
) -> None:
    """The audit takes time for running on within each thousand."""
    move(year.database, target, unseen)
    for _ in range(2):
        with closing(target.open_writer()) as writer:
            last = writer.integer("commits_last")
            writer.begin()
            taken = writer.commit_id()
            writer.rollback()
        assert taken % 1_000 == 1
        assert taken > last > 0


def rows_of(database: Database) -> dict[str, set[tuple[object, ...]]]:
    connection = apsw.Connection(str(database.path))
    names = list(connection.execute("select name from sqlite_schema where type = 'table'"))
    rows = {str(name): set(connection.execute(f"select * from {name}")) for (name,) in names}
    connection.close()
    return rows


def test_every_row_comes_over_and_the_file_stays_as_it_is(
    year: Year, target: Database, cluster: Cluster
) -> None:
    before = rows_of(year.database)
    move(year.database, target, unseen)
    assert rows_of(year.database) == before
    name = target.url.reveal().rpartition("/")[2]
    for table, rows in before.items():
        if table in STAYS:
            continue
        ((count,),) = cluster.control(f"select count(*) from {table}", database=name)
        assert count == len(rows) + (table == "changes"), table
    for table in ("requests", "captures", "identities", "transfers", "keys"):
        moved = {
            tuple(bytes(v) if isinstance(v, memoryview) else v for v in row)
            for row in cluster.control(f"select * from {table}", database=name)
        }
        assert moved == before[table], table


def test_ids_go_on_and_a_reservation_is_settled_over_there(
    year: Year, target: Database, cluster: Cluster
) -> None:
    move(year.database, target, unseen)
    name = target.url.reveal().rpartition("/")[2]

    def last(column: str, table: str) -> int:
        ((value,),) = cluster.control(f"select max({column}) from {table}", database=name)
        assert isinstance(value, int)
        return value

    changes, commits = last("change_id", "changes"), last("commit_id", "commits")
    assert cluster.control("select distinct ended_at_ms from leases", database=name) == [(0,)]
    customer = year.customers[0]
    with OverThere(target, year.now_ms) as there:
        key = there.directory.key_of_digest(digest(customer.secrets[0]))
        assert key is not None
        assert key.key_id == customer.key_ids[0]
        there.settle()
        gate = GateWorld(there)
        asyncio.run(gate.gatekeeper.settle(year.reservation, year.settled))
        told = reports(there.reader, year.customers, year.now_ms)
        assert told != year.told
        assert last("commit_id", "commits") > commits
        grant = there.call("grants.create", profile_id=customer.profile_id, credits=5, kind="topup")
        ((greatest,),) = cluster.control(
            "select max(grant_id) from grants where profile_id = %s",
            (customer.profile_id,),
            database=name,
        )
        assert grant.grant_id == greatest
        assert last("change_id", "changes") == changes + 1
        assert run_audit(there.reader).agrees


def test_a_file_that_is_served_does_not_move(year: Year, target: Database) -> None:
    with lock_path(year.database.path).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(InUseError, match="stop the server"):
            move(year.database, target, unseen)


def test_a_database_that_somebody_has_begun_is_left_as_it_is(year: Year, target: Database) -> None:
    move(year.database, target, unseen)
    with pytest.raises(StoreFaultError, match="not empty"):
        move(year.database, target, unseen)
    with closing(target.open_reader()) as reader:
        assert reports(reader, year.customers, year.now_ms) == year.told


@pytest.mark.parametrize("rows", [1, 2_000, 5_000])
def test_a_move_that_is_broken_off_leaves_a_new_database_and_can_be_made_again(
    year: Year, target: Database, rows: int
) -> None:
    def interrupt(_what: str, done: int, _total: int) -> None:
        if done >= rows:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        move(year.database, target, interrupt)
    move(year.database, target, unseen)
    with closing(target.open_reader()) as reader:
        assert reports(reader, year.customers, year.now_ms) == year.told


def test_books_that_differ_do_not_move(year: Year, target: Database, tmp_path: Path) -> None:
    spoilt = tmp_path / "spoilt.db"
    shutil.copy(year.database.path, spoilt)
    connection = apsw.Connection(str(spoilt))
    connection.execute("update days set requests = requests + 1")
    connection.close()
    with pytest.raises(MoveRefusedError, match="the books of the file differ") as caught:
        move(file_database(spoilt), target, unseen)
    assert caught.value.result is not None
    assert not caught.value.result.agrees
    move(year.database, target, unseen)


def test_a_text_that_postgresql_can_not_hold_is_told_of(
    year: Year, target: Database, tmp_path: Path
) -> None:
    odd = tmp_path / "odd.db"
    shutil.copy(year.database.path, odd)
    connection = apsw.Connection(str(odd))
    connection.execute("update captures set request_body = 'a' || char(0) || 'b'")
    changed = connection.changes()
    connection.close()
    assert move(file_database(odd), target, unseen).replaced == changed > 0


def test_every_table_of_a_file_has_its_place(year: Year) -> None:
    with closing(open_reader(year.database.path)) as reader:
        tables = Source(reader).tables()
    names = [table.name for table in tables]
    assert set(names) == set(rows_of(year.database))
    assert all(table.key for table in tables), "a move is in the order of keys"
    assert names.index("workspaces") > names.index("plans")

"""After a restore by PostgreSQL's own means, nothing counts that was drawn before it."""

from __future__ import annotations

import signal
import threading
from contextlib import closing
from pathlib import Path

import pytest

from farebox.service.audit import run_audit
from farebox.service.begin_anew import InUseError, finish_restore
from farebox.store.database import Database
from tests.postgres.office import Office
from tests.support.cluster import Cluster


def name_of(database: Database) -> str:
    return database.url.reveal().rpartition("/")[2]


def test_a_copy_that_was_taken_while_a_process_had_drawn_is_served_again(
    office: Office, cluster: Cluster
) -> None:
    key = office.sell()
    with office.server() as server:
        server.call("POST", "/v1/authorize", {"key": key, "log_type": "people"})
        served = office.run("restored")
        assert (served.status, served.out) == (1, "")
        assert "is being served" in served.err
        # As if the machine had gone: neither tells the other's end.
        assert server.process is not None
        server.process.send_signal(signal.SIGSTOP)
        server.kill_recorder()
        server.stop(signal.SIGKILL)
    drawn = "select count(*) from leases where ended_at_ms is distinct from 0"
    assert cluster.control(drawn, database=name_of(office.database)) == [(1,)]
    told = [office.json("restored") for _ in range(2)]
    assert [one["database"] for one in told] == [str(office.database)] * 2
    assert cluster.control(drawn, database=name_of(office.database)) == [(0,)]
    with office.server("new") as server:
        asked = server.call("POST", "/v1/authorize", {"key": key, "log_type": "people"})
        assert asked.json()["allowed"]
    with closing(office.database.open_reader()) as reader:
        assert run_audit(reader).agrees


def test_a_database_that_another_machine_serves_is_refused(
    target: Database, cluster: Cluster, tmp_path: Path
) -> None:
    target.prepare()
    name, is_over = name_of(target), threading.Event()
    cluster.control("insert into nodes values (7, null, 0, 0, 0)", database=name)

    def live() -> None:
        while not is_over.wait(0.1):
            cluster.control("update nodes set renewals = renewals + 1", database=name)

    thread = threading.Thread(target=live)
    thread.start()
    try:
        with pytest.raises(InUseError, match="is being served"):
            finish_restore(target, tmp_path / "place")
    finally:
        is_over.set()
        thread.join()
    assert finish_restore(target, tmp_path / "place").leases_ended == 0

"""Beginning anew: what was drawn of another database counts in no restored one."""

from __future__ import annotations

import asyncio
import fcntl
from pathlib import Path

import pytest

from farebox.engine.paths import lock_path
from farebox.service.audit import run_audit
from farebox.service.begin_anew import InUseError, finish_restore
from farebox.store.contract import StoreFaultError
from farebox.store.database import Database, file_database
from tests.support.gates import GateWorld
from tests.support.harness import Harness


def drawn(folder: Path) -> Database:
    """A database of which a process had drawn when it was copied."""
    with Harness(folder) as harness:
        profile_id = harness.workspace()
        harness.log_type(credits=3)
        world = GateWorld(harness)
        asyncio.run(world.admitted(harness.key(profile_id), "people_search"))
        assert world.drawn_micro(profile_id) > 0
        return file_database(harness.path)


def test_what_was_drawn_before_a_restore_is_over_and_comes_back(tmp_path: Path) -> None:
    database = drawn(tmp_path)
    told = finish_restore(database, database.path)
    assert (told.database, told.steps, told.leases_ended) == (str(database), 0, 1)
    with Harness(tmp_path) as harness:
        assert harness.select("select distinct ended_at_ms from leases") == [(0,)]
        harness.settle()
        assert GateWorld(harness).drawn_micro(1) == 0
        assert run_audit(harness.reader).agrees


def test_it_is_noted_and_does_no_harm_again(tmp_path: Path) -> None:
    database = drawn(tmp_path)
    for _ in range(2):
        finish_restore(database, database.path)
    with Harness(tmp_path) as harness:
        noted = harness.select("select kind, ref from changes where action = 'restored'")
        assert noted == [("database", str(database))] * 2
        assert run_audit(harness.reader).agrees


def test_a_database_that_is_served_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    database = drawn(tmp_path)
    with lock_path(database.path).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(InUseError, match="is being served; stop the server"):
            finish_restore(database, database.path)
    with Harness(tmp_path) as harness:
        assert harness.select("select ended_at_ms is null from leases") == [(1,)]


def test_what_is_no_database_of_ours_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    path.write_text("precious")
    with pytest.raises(StoreFaultError):
        finish_restore(file_database(path), path)
    assert path.read_text() == "precious"

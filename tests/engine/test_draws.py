"""Draws: what a rollback undoes is undone in memory too, and no lot's number is used twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from farebox.engine.draws import Draws, LimitKey
from farebox.engine.held import Held
from tests.support.homes import SqliteHome
from tests.support.worlds import World

LEASE, SECOND_MS = 7, 1_000


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Where nobody else writes: there draws outlive a transaction in memory."""
    with World(SqliteHome(tmp_path)) as made:
        made.workspace()
        yield made


@pytest.fixture
def draws(world: World) -> Iterator[Draws]:
    """On a connection of its own, with a lease that is open."""
    world.recorder.end()
    db = world.open_store()
    made = Draws(db, Held(), node_id=1)
    db.begin()
    made.open(LEASE, 60_000, world.now_ms)
    db.commit()
    yield made
    db.close()


def hour(start_ms: int) -> LimitKey:
    return (1, "hour", "", "api", start_ms)


def drawn(world: World) -> list[tuple[int, int]]:
    return world.select("select lot_id, units from draws order by lot_id")


def test_what_was_rolled_back_is_not_written_by_the_next_commit(world: World, draws: Draws) -> None:
    db = draws._db
    db.begin()
    lot_id = draws.add(LEASE, hour(0), 10**15, 10)
    draws.write()
    db.commit()
    db.begin()
    draws.take(LEASE, lot_id, 4)
    db.rollback()
    draws.forget()
    # One that moves no unit.
    db.begin()
    draws.write()
    db.commit()
    assert drawn(world) == [(lot_id, 10)]
    assert draws.units(hour(0)) == 10


def test_the_number_of_a_lot_is_never_used_again(world: World, draws: Draws) -> None:
    """Not even after a rollback: a reservation may name it still."""
    db = draws._db
    db.begin()
    first = draws.add(LEASE, hour(0), world.now_ms + SECOND_MS, 1)
    draws.write()
    db.commit()
    db.begin()
    draws.drop(draws.lots_of(LEASE))
    draws.write()
    db.commit()
    db.begin()
    db.rollback()
    draws.forget()
    db.begin()
    assert draws.add(LEASE, hour(SECOND_MS), 10**15, 1) != first
    db.rollback()


def test_time_goes_on_from_the_end_of_a_lease_even_if_no_commit_tells_it(
    world: World, draws: Draws
) -> None:
    ended_ms = world.now_ms + 4_000
    draws._db.begin()
    draws.end(LEASE, ended_ms)
    draws._db.commit()
    assert world.reader.integer("clock_high_water") == ended_ms

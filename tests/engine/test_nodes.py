"""Nodes: who is one, for how long, and what becomes of one that has gone."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from farebox.core.database_url import read_database_url
from farebox.core.errors import STORE_UNAVAILABLE
from farebox.engine.messages import Failed, Recorded
from farebox.engine.nodes import CLOCK_AHEAD_MS_MAX, NodeRow
from farebox.engine.read_ahead import Scope
from farebox.recorder import make_recorder
from farebox.store.contract import StoreFaultError
from farebox.store.database import Database
from farebox.store.postgres.database import PostgresDatabase
from tests.support.homes import Homes
from tests.support.nodes import HOLD_MS, RENEW_MS, Fleet, Node, recording, want
from tests.support.truth import differences
from tests.support.worlds import MICRO

SILENT_RENEWALS = 12
DAY_MS = 86_400_000
SEEDS = range(2)


@pytest.fixture
def fleet(homes: Homes) -> Iterator[Fleet]:
    with Fleet(homes, 3) as made:
        yield made


def row_of(fleet: Fleet, node: Node) -> NodeRow:
    """What others see of a node."""
    look = "select node_id, renewals, now_ms from nodes where node_id = ?"
    (row,) = fleet.select(look, node.node_id)
    return NodeRow(*row)


def held_micro(fleet: Fleet) -> int:
    """The credits that processes have drawn, alive or not."""
    ((held,),) = fleet.select("select coalesce(sum(units), 0) from draws where name = 'credits'")
    return int(held)


def test_a_node_that_waits_for_a_lock_is_there(fleet: Fleet) -> None:
    keys = fleet.stock()
    stopped, waiting, watching = fleet.nodes
    waiting.draw(22, want(1))
    stopped.session._begin(Scope(alone=frozenset([1])))  # and goes no further
    row = waiting.row(1, keys[0], credits_micro=MICRO)

    def watch() -> None:
        for _ in range(SILENT_RENEWALS):
            fleet.steady_ms += RENEW_MS
            watching.renew()
        stopped.session.undo()

    reply = fleet.while_waiting(lambda: waiting.ask(recording(row)), watch)
    assert isinstance(reply, Recorded), reply


def test_who_was_held_up_with_all_others_ends_none_of_them(fleet: Fleet) -> None:
    """Machines sleep, and the server stalls: then nobody could renew."""
    fleet.stock()
    first, second, _ = fleet.nodes
    first.draw(11, want(1))
    fleet.pass_renewals(3)
    fleet.steady_ms += SILENT_RENEWALS * RENEW_MS
    second.renew()
    first.renew()
    assert first.session.leases.is_drawing(11)


def test_a_node_that_is_none_any_more_adopts_nothing(fleet: Fleet) -> None:
    """It was stopped between its look at the others and what it does about it."""
    fleet.stock()
    stopped, second, third = fleet.nodes
    third.draw(33, want(1, credits=10))
    silent, gone = row_of(fleet, third), row_of(fleet, stopped)
    assert second.session.adopt(gone, second.now_ms)
    with pytest.raises(StoreFaultError):
        stopped.session.adopt(silent, stopped.now_ms)
    for node in (stopped, third):
        node.kill()
    fleet.pass_renewals(SILENT_RENEWALS)
    fleet.pass_time(2 * HOLD_MS)
    assert held_micro(fleet) == 0


def test_one_of_several_that_see_a_silent_node_ends_it(fleet: Fleet) -> None:
    fleet.stock()
    silent, *others = fleet.nodes
    was = row_of(fleet, silent)
    assert [node.session.adopt(was, node.now_ms) for node in others] == [True, False]


def test_leases_of_no_node_return_what_they_had(fleet: Fleet) -> None:
    """Its row was lost; whoever comes next has them, and holds for as long as ever."""
    fleet.stock()
    fleet.nodes[0].draw(11, want(1, credits=10))
    for node in fleet.nodes:
        node.kill()
    fleet.home.plant("delete from nodes")
    fleet.pass_renewals(2)
    assert held_micro(fleet) > 0
    fleet.pass_time(2 * HOLD_MS)
    assert held_micro(fleet) == 0


def test_nothing_is_left_of_nodes_that_have_gone(fleet: Fleet) -> None:
    first, second, third = fleet.nodes
    for leave in (third.recorder.end, third.recorder.close):
        first.renew()
        was = row_of(fleet, third)
        leave()
        left = [NodeRow(*row) for row in fleet.select("select node_id, renewals, 0 from nodes")]
        second.session.adopt(next(n for n in left if n.node_id == was.node_id), second.now_ms)
        third.settle()
    first.renew()
    there = {node.node_id for node in fleet.nodes}
    assert {node_id for (node_id,) in fleet.select("select node_id from nodes")} == there
    assert first.session.nodes._seen.keys() == there - {first.node_id}


def test_only_a_node_that_was_silent_is_told_to_have_been(fleet: Fleet) -> None:
    first, second, third = fleet.nodes
    second.recorder.end()
    fleet.pass_renewals(SILENT_RENEWALS, ticking=[first, third])
    ended = [node.recorder._told.nodes_ended for node in (first, third)]
    assert ended == [0, 0]
    third.kill()
    fleet.pass_renewals(SILENT_RENEWALS, ticking=[first])
    assert first.recorder._told.nodes_ended == 1


def test_the_last_node_to_leave_is_forgotten_by_the_next_to_come(fleet: Fleet) -> None:
    for node in fleet.nodes:
        node.recorder.end()
    last = fleet.nodes[0]
    last.recorder.tick()
    assert fleet.select("select node_id from nodes") == [(last.node_id,)]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_slot_is_of_one_node_while_that_can_write(fleet: Fleet, seed: int) -> None:
    """Nodes come, go, and are ended by others while they still believe that they are there."""
    print(f"seed {seed}")  # noqa: T201 - shown where it fails
    keys = fleet.stock()
    chance = random.Random(seed)
    written = 0
    for step in range(40):
        node, other = chance.sample(fleet.nodes, 2)
        message = recording(node.row(1, keys[0], request_id=str(step)))
        match chance.choice(("write", "write", "end", "kill", "leave", "midst")):
            case "write":
                written += isinstance(node.ask(message), Recorded)
            case "end":
                other.renew()
                other.session.adopt(row_of(fleet, node), other.now_ms)
                assert isinstance(node.ask(message), Failed)
            case "kill":
                node.kill()
            case "leave":
                node.recorder.end()
            case _:
                node.session._begin(Scope(shared=frozenset([1])))
                assert not other.session.adopt(row_of(fleet, node), other.now_ms), "it may write"
                node.session.undo()
        fleet.pass_time(1)
        slots = {node.node_id: slot(node) for node in fleet.nodes}
        assert slots.items() <= dict(fleet.select("select node_id, slot from public.nodes")).items()
        assert len(set(slots.values())) == len(slots)
    assert fleet.select("select sum(requests) from quarters") == [(written or None,)]
    assert not differences(fleet.nodes[0].db)


def slot(node: Node) -> int:
    """What a node's connection adds its sums to."""
    db = node.session.db
    assert isinstance(db, PostgresDatabase)
    with db.copying() as connection:
        (found,) = connection.execute("select current_setting('farebox.slot')::smallint")
    return int(cast("tuple[int]", found)[0])


def test_a_recorder_that_was_killed_ends_what_it_was_as_soon_as_it_is_back(
    fleet: Fleet, tmp_path: Path
) -> None:
    for node in fleet.nodes:
        node.recorder.end()
    fleet.nodes[0].recorder.tick()
    database = Database(read_database_url(fleet.home.url))
    ids = set()
    for _ in range(3):
        recorder = make_recorder(database, tmp_path / "place")
        recorder.tick()
        assert recorder._session is not None
        ids.add(recorder._session.nodes.node_id)
        recorder.close()
    assert len(ids) == 3
    assert fleet.select("select count(*) from nodes") == [(2,)]


@pytest.mark.parametrize("text", ["", "nobody\n", "7"])
def test_a_mark_that_tells_nothing_ends_nobody(fleet: Fleet, tmp_path: Path, text: str) -> None:
    (tmp_path / "place.node").write_text(text)
    recorder = make_recorder(Database(read_database_url(fleet.home.url)), tmp_path / "place")
    recorder.tick()
    recorder.close()
    assert fleet.select("select count(*) from nodes") == [(len(fleet.nodes) + 1,)]


def test_a_node_whose_clock_is_far_ahead_ends_nobodys_period(fleet: Fleet) -> None:
    """Others may have it follow them, so it has to see that it is alone in its opinion."""
    fleet.stock()
    _, wrong, _ = fleet.nodes
    ((server_ms,),) = fleet.select("select (extract(epoch from clock_timestamp()) * 1000)::bigint")
    for node in fleet.nodes:
        node.clock.not_before(server_ms)
        node.settle()
    look = "select max(end_ms), count(*) from periods"
    before = fleet.select(look)
    wrong.clock.advance(40 * DAY_MS)
    fleet.pass_renewals(4)
    reply = wrong.ask(recording(wrong.row(1, "key")))
    assert isinstance(reply, Failed)
    assert reply.code == STORE_UNAVAILABLE.code
    assert fleet.select(look) == before


def test_a_node_that_is_alone_may_be_ahead_of_the_server_and_begin_anew(fleet: Fleet) -> None:
    """What it was before is nobody who could be right."""
    fleet.stock()
    first, *others = fleet.nodes
    for node in others:
        node.recorder.end()
    fleet.pass_renewals(2, ticking=[first])
    ((server_ms,),) = fleet.select("select (extract(epoch from clock_timestamp()) * 1000)::bigint")
    first.clock.not_before(server_ms + 2 * CLOCK_AHEAD_MS_MAX)
    first.recorder.close()  # its connection breaks
    first.draw(11, want(1))


def test_a_node_that_becomes_the_first_builds_no_days_that_are_built(fleet: Fleet) -> None:
    keys = fleet.stock()
    first, last, _ = sorted(fleet.nodes, key=lambda node: node.node_id)
    rows = [first.row(1, keys[0], time_ms=first.now_ms - n * 20 * DAY_MS) for n in range(8)]
    first.record(rows)
    first.call("workspaces.change", profile_id=1, timezone="Asia/Tokyo")
    while not last.node_id > max(n.node_id for n in fleet.nodes if n is not last):
        last.recorder.end()
        last.recorder.tick()
    assert last.session.building == {1}
    fleet.pass_renewals(4)
    assert not fleet.select("select 1 from workspace_zones where built_quarter is not null")
    last.draw(77, want(1))
    for node in fleet.nodes:
        if node is not last:
            node.recorder.end()
    was = last.session
    fleet.pass_renewals(2, ticking=[last])
    assert last.session is was, "its session and all its leases are over"

"""Requests and ends of reservations that come to several nodes at once; and what repeats cost."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from farebox.core.errors import ROW_REFUSED
from farebox.engine.messages import Recorded, Reply, Voided
from tests.support.homes import Homes
from tests.support.nodes import Fleet, recording, spending, voiding, want
from tests.support.truth import differences
from tests.support.waiting import DEADLINE_SECONDS, until
from tests.support.worlds import MICRO

BAD_STATUS = 999


@pytest.fixture
def fleet(homes: Homes) -> Iterator[Fleet]:
    with Fleet(homes, 2) as made:
        yield made


def test_a_request_that_comes_to_two_nodes_at_once_is_counted_once(fleet: Fleet) -> None:
    keys = fleet.stock()
    first, second = fleet.nodes
    known, twice = first.row(1, keys[0]), first.row(1, keys[0], request_id="twice")
    # A retry has an id of its own in the log.
    retry = second.row(1, keys[0], request_id="twice")
    first.record([known])
    first.in_midst(first.session.claims, "_without_repeats", lambda: second.record([retry]))
    assert first.record([known, twice]).duplicates == [0, 1]
    assert fleet.select("select sum(requests) from quarters") == [(2,)]
    assert not differences(first.db)


def test_a_request_that_another_node_has_just_recorded_is_counted_once_beside_a_bad_one(
    fleet: Fleet,
) -> None:
    keys = fleet.stock()
    first, second = fleet.nodes
    rows = [first.row(1, keys[0]) for _ in range(8)]
    bad = first.row(1, keys[0])._replace(status_code=BAD_STATUS)
    # The whole has failed; its first half is being tried.
    first.in_midst(first.session.claims, "claim", lambda: second.record(rows[5:7]), nth=2)
    reply = first.record([*rows, bad])
    assert reply.duplicates == [5, 6]
    assert reply.rejected == [(8, ROW_REFUSED.code)]
    assert fleet.select("select sum(requests) from quarters") == [(8,)]
    assert not differences(first.db)


def test_a_reservation_ends_once_whoever_ends_it(fleet: Fleet) -> None:
    """Its plan has no windows: so neither node needs the workspace alone."""
    keys = fleet.stock()
    first, second = fleet.nodes
    first.draw(11, want(3, 0, credits=1))
    row = first.row(3, keys[2])
    settled = recording(row, lease_id=11, spends=[spending(row, 11)])
    others: list[Reply] = []
    voiding_it = threading.Thread(target=lambda: others.append(second.ask(voiding(22, row, 11))))

    def meet() -> None:
        voiding_it.start()
        until(fleet.has_waiting)

    first.in_midst(first.session.claims, "claim", meet)
    assert isinstance(first.ask(settled), Recorded)
    voiding_it.join(DEADLINE_SECONDS)
    (voided,) = others
    assert isinstance(voided, Voided)
    assert voided.was_settled, "its voider must not believe that it isn't charged"
    assert fleet.select("select count(*) from requests") == [(1,)]


def test_nodes_that_void_the_same_never_wait_for_each_other(fleet: Fleet) -> None:
    keys = fleet.stock()
    first, second = fleet.nodes
    rows = [first.row(3, keys[2]) for _ in range(2)]
    messages = [voiding(11, row, 11) for row in rows]
    others: list[Reply] = []
    backwards = [voiding(22, row, 22) for row in reversed(rows)]
    voiding_too = threading.Thread(target=lambda: others.extend(second.handle(*backwards)))

    def meet() -> None:
        voiding_too.start()
        until(fleet.has_waiting)

    # The other waits for what this one has done, and this one has another to come.
    first.in_midst(first.session.claims, "claim", meet)
    replies = first.handle(*messages)
    voiding_too.join(DEADLINE_SECONDS)
    told = [reply.was_voided for reply in (*replies, *others) if isinstance(reply, Voided)]
    assert told == [False, False, True, True]


def test_a_bad_row_costs_no_round_trip_for_each_good_one(fleet: Fleet) -> None:
    """Who waits behind it would wait for seconds, where the server is a millisecond away."""
    keys = fleet.stock()
    first = fleet.nodes[0]
    rows = [first.row(1, keys[0]) for _ in range(256)]
    rows[100] = rows[100]._replace(status_code=BAD_STATUS)
    before = first.session.db.round_trips
    assert first.record(rows).rejected == [(100, ROW_REFUSED.code)]
    assert first.session.db.round_trips - before < 100


def test_repeats_of_admitted_requests_cost_no_round_trip_each(fleet: Fleet) -> None:
    keys = fleet.stock()
    first = fleet.nodes[0]
    first.draw(11, want(3, 0, credits=1))
    rows = [first.row(3, keys[2]) for _ in range(64)]
    messages = [
        recording(*part, lease_id=11, spends=[spending(row, 11) for row in part])
        for part in (rows[:32], rows[32:])
    ]
    first.handle(*messages)
    before = first.session.db.round_trips
    again = [reply for reply in first.handle(*messages) if isinstance(reply, Recorded)]
    assert [len(reply.duplicates) for reply in again] == [32, 32]
    assert first.session.db.round_trips - before < 16


def test_a_record_that_holds_a_bad_row_is_told_all_that_another_is(fleet: Fleet) -> None:
    """What is left of its workspaces, and what others have ended, of which it hears later."""
    keys = fleet.stock()
    first, second = fleet.nodes
    drawn = first.draw(11, want(3, 0, credits=20))
    ((lot, *_),) = (supply.grants for supply in drawn.supplies)
    rows = [first.row(3, keys[2], credits_micro=MICRO) for _ in range(4)]
    pieces = [(lot.lot_id, MICRO)]
    second.ask(voiding(22, rows[3], 11, pieces))
    bad = first.row(3, keys[2])._replace(status_code=BAD_STATUS)
    spends = [spending(row, 11, pieces) for row in rows]
    reply = first.ask(recording(bad, *rows, lease_id=11, spends=spends))
    assert isinstance(reply, Recorded)
    assert reply.rejected == [(0, ROW_REFUSED.code)]
    assert (reply.conflicts, reply.taken) == ([4], [4])
    assert reply.balances == [(3, 97 * MICRO)]

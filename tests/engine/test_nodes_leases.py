"""Leases where several nodes write: whose they are, and what is kept of them and for how long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from farebox.engine.leases import SWEEP_EVERY_MS, TRUST_MS
from farebox.engine.messages import Drawn, GrantSupply, Recorded, Voided
from farebox.engine.read_ahead import Scope
from tests.support.homes import Homes
from tests.support.nodes import (
    HOLD_MS,
    RENEW_MS,
    Fleet,
    recording,
    spending,
    voiding,
    want,
)
from tests.support.truth import differences
from tests.support.waiting import DEADLINE_SECONDS, until
from tests.support.worlds import MICRO

MONTH_MS = 31 * 86_400_000
SILENT_RENEWALS = 12


@pytest.fixture
def fleet(homes: Homes) -> Iterator[Fleet]:
    with Fleet(homes, 3) as made:
        yield made


def grant_of(drawn: Drawn) -> GrantSupply:
    """The credits that a want was given."""
    ((grant,),) = (supply.grants for supply in drawn.supplies)
    return grant


@pytest.mark.parametrize("is_noticed", [True, False])
def test_nobody_draws_by_a_lease_of_a_recorder_that_was_killed(
    fleet: Fleet, *, is_noticed: bool
) -> None:
    """Killed and started again between two messages of a process: its numbers of lots are gone."""
    fleet.stock()
    first = fleet.nodes[0]
    first.draw(11, want(1))
    first.draw(11, want(2), is_old=True)
    first.kill()
    if is_noticed:
        fleet.pass_renewals(1)
    assert first.draw(11, want(1, credits=1), is_old=True).is_ended
    first.draw(11, returns=[(3, 5)], is_old=True)
    twice = "select 1 from draws group by lease_id, lot_id having count(*) > 1"
    assert fleet.select(twice) == []
    assert fleet.select("select distinct units from draws where name <> 'credits'") == [(5,)]


def test_a_request_is_charged_to_what_is_held_for_it_when_its_recorder_was_killed(
    fleet: Fleet,
) -> None:
    keys = fleet.stock()
    first = fleet.nodes[0]
    lot = grant_of(first.draw(11, want(1, credits=100))).lot_id
    while first.draw(11, want(1, credits=100), is_old=True).supplies[0].grants:
        """Have all that there is drawn."""
    first.kill()
    fleet.pass_renewals(1)
    first.draw(12, want(1))
    row = first.row(1, keys[0], credits_micro=5 * MICRO)
    spend = spending(row, 11, [(lot, 5 * MICRO)])
    assert isinstance(first.ask(recording(row, lease_id=12, spends=[spend])), Recorded)
    owed = "select sum(debits_micro - credits_micro) from accounts where account = 'overdraft'"
    assert fleet.select(owed)[0][0] in (None, 0)


@pytest.mark.parametrize("ahead_ms", [0, 90_000])
def test_credits_are_held_for_the_longest_reservation_whoever_ends_the_lease(
    fleet: Fleet, ahead_ms: int
) -> None:
    """The clock of who ends it may be ahead, or be taken ahead."""
    fleet.stock()
    held = "select sum(units) from draws where name = 'credits'"
    first, second, third = fleet.nodes
    third.recorder.end()
    second.clock.advance(ahead_ms)
    first.draw(11, want(1, credits=10))
    drawn = fleet.select(held)
    first.kill()
    fleet.pass_renewals(SILENT_RENEWALS, ticking=[second])
    assert not fleet.select("select 1 from leases where ended_at_ms is null")
    fleet.pass_time(HOLD_MS - RENEW_MS, ticking=[second])
    assert fleet.select(held) == drawn
    fleet.pass_time(TRUST_MS + 2 * RENEW_MS, ticking=[second])
    assert fleet.select(held) == [(None,)]


def test_a_lot_is_not_swept_while_another_node_writes_it(fleet: Fleet) -> None:
    """Its window has closed and its lease is over; a reservation by it is voided late."""
    keys = fleet.stock()
    first, second, _ = fleet.nodes
    window = first.draw(11, want(1)).supplies[0].windows[0]
    first.draw(11, is_last=True, is_old=True)
    fleet.pass_renewals(1, ticking=[first])
    fleet.pass_time(HOLD_MS + TRUST_MS + RENEW_MS, ticking=[first])
    fleet.pass_time(MONTH_MS, ticking=[])
    litter = first.session.leases.litter(first.now_ms)
    assert len(litter.closed) == 2
    assert litter.empty == [11]
    sweeping = threading.Thread(target=lambda: first.session.sweep(litter, first.now_ms))

    def sweep() -> None:
        sweeping.start()
        until(lambda: fleet.has_waiting() or not sweeping.is_alive())

    # When it has the workspace alone, and has read the lot.
    second.in_midst(second.session.claims, "claim", sweep, nth=2)
    reply = second.ask(voiding(22, second.row(1, keys[0]), 11, [(window.lot_id, 1)]))
    sweeping.join(DEADLINE_SECONDS)
    assert isinstance(reply, Voided), reply
    assert not fleet.select("select lot_id from draws")
    assert not fleet.select("select lease_id from leases")


def test_a_commit_releases_no_more_workspaces_than_a_server_has_locks_for(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farebox.engine.session.PROFILES_PER_COMMIT_MAX", 2)
    fleet.stock()
    first, *_ = fleet.nodes
    first.draw(11, *(want(profile_id, credits=10) for profile_id in (1, 2, 3)))
    first.draw(11, is_last=True, is_old=True)
    fleet.pass_renewals(1)
    alone = []
    run = first.session.run

    def run_noting(scope: Scope, work: Callable[[int], None]) -> None:
        alone.append(sorted(scope.alone))
        run(scope, work)

    monkeypatch.setattr(first.session, "run", run_noting)
    fleet.pass_time(HOLD_MS + TRUST_MS + RENEW_MS)
    assert [held for held in alone if held] == [[1, 2], [3]]
    assert not fleet.select("select units from draws where name = 'credits'")
    assert not differences(first.db)


def test_nothing_is_kept_of_an_end_by_a_lease_that_is_no_more(fleet: Fleet) -> None:
    keys = fleet.stock()
    first = fleet.nodes[0]
    first.draw(11, want(1))
    reply = first.ask(voiding(11, first.row(1, keys[0]), 999))
    assert isinstance(reply, Voided)
    assert reply.is_returned
    assert not fleet.select("select lease_id from ends_elsewhere")


def test_nothing_is_kept_of_an_end_by_a_lease_that_is_forgotten_meanwhile(fleet: Fleet) -> None:
    """Its node has just found that it is over, and that it holds nothing any more."""
    keys = fleet.stock()
    first, second, _ = fleet.nodes
    window = first.draw(11, want(1)).supplies[0].windows[0]

    def forget() -> None:
        db = first.session.db
        db.begin()
        for name in ("lease_drop", "ends_elsewhere_drop"):
            db.execute(name, lease_id=11)
        db.commit()

    fleet.home.plant("delete from draws")
    second.in_midst(second.session.claims, "claim", forget)
    reply = second.ask(voiding(22, second.row(1, keys[0]), 11, [(window.lot_id, 1)]))
    assert isinstance(reply, Voided), reply
    assert not fleet.select("select lease_id from ends_elsewhere")


def test_nothing_is_remembered_of_leases_that_are_no_more(fleet: Fleet) -> None:
    fleet.stock()
    first, second, _ = fleet.nodes
    for lease_id in range(100, 120):
        first.draw(lease_id, want(1))
        second.draw(9, want(1), is_old=lease_id > 100)
        first.draw(lease_id, is_last=True, is_old=True)
        # Its process goes, and so does one that only renewed.
        first.draw(lease_id + 100)
        for gone in (lease_id, lease_id + 100):
            first.recorder.hang_up(gone)
    for lease_id in range(900, 903):
        fleet.pass_time(MONTH_MS)
        second.draw(lease_id, want(1))
    fleet.pass_renewals(2 * SWEEP_EVERY_MS // RENEW_MS, ticking=[first])
    for node in (first, second):
        assert not {n for n in node.session.draws._last_lot_ids if 100 <= n < 300}
    assert not first.session.leases._gone
    assert not first.session.draws._profile_ids

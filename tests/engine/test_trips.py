"""What recording costs on the way to the database: round trips, counted by the writer.

Where nobody else writes nothing is far away, and the same messages cost none.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farebox.core.errors import ROW_REFUSED
from farebox.core.instant import MS_PER_DAY
from farebox.engine.dues import PAGE, PER_COMMIT_MAX
from farebox.engine.messages import Draw, Drawn, Record, Recorded, Spend, Void, Voided, Want
from farebox.store.contract import Writer
from tests.support.homes import Home
from tests.support.truth import differences
from tests.support.worlds import MICRO, World, counts, record, request

LEASE_ID = 77
ROWS = 1_000


class Place(World):
    """A world that knows the connections that its recorder writes by."""

    def __init__(self, home: Home) -> None:
        self.opened: list[Writer] = []
        super().__init__(home)

    def open_store(self) -> Writer:
        """The writing connection, kept."""
        self.opened.append(super().open_store())
        return self.opened[-1]

    @property
    def trips(self) -> int:
        """How often they have waited."""
        return sum(writer.round_trips for writer in self.opened)

    def cost(self, trips: int) -> int:
        """What so many round trips are here."""
        return 0 if self.opened[-1].is_alone else trips


@pytest.fixture
def place(home: Home) -> Iterator[Place]:
    with Place(home) as made:
        yield made


def draw(place: Place, profile_id: int, credits_micro: int) -> int:
    """Draw credits for a process; their lot."""
    want = Want(profile_id, "user", "api", (0,) * 5, credits_micro, credits_micro)
    (reply,) = place.handle(Draw(1, LEASE_ID, place.now_ms, 60_000, [want]))
    assert isinstance(reply, Drawn)
    return reply.supplies[0].grants[0].lot_id


def test_a_record_goes_twice_whoever_pays_for_it(place: Place) -> None:
    admitted, reported = place.workspace(), place.workspace()
    lot_id = draw(place, admitted, 100 * MICRO)
    for number in range(3):
        row = request(admitted, f"a{number}", credits_micro=MICRO)
        spend = Spend(row.query_log_id, LEASE_ID, ((lot_id, MICRO),), number, 0)
        before = place.trips
        place.handle(Record(1, [row], [], False, LEASE_ID, [spend]))
        place.handle(record(request(reported, f"r{number}", credits_micro=MICRO)))
        assert place.trips - before == place.cost(2 + 2)
    assert place.balance_micro(admitted) == place.balance_micro(reported) == 997 * MICRO
    assert not differences(place.db)


def test_repeats_are_looked_up_at_once_however_many(place: Place) -> None:
    profile_id = place.workspace()
    lot_id = draw(place, profile_id, 100 * MICRO)
    rows = [request(profile_id, f"{number}", credits_micro=MICRO) for number in range(50)]
    spends = [
        Spend(row.query_log_id, LEASE_ID, ((lot_id, MICRO),), number, 0)
        for number, row in enumerate(rows)
    ]
    place.handle(Record(1, rows, [], False, LEASE_ID, spends))
    before = place.trips
    (reply,) = place.handle(Record(2, rows, [], False, LEASE_ID, spends))
    assert counts(reply, rows) == (0, 50, 0, 0)
    # The claim, the look-up, the claim of what is left, the ends elsewhere, the commit.
    assert place.trips - before <= place.cost(5)
    assert place.balance_micro(profile_id) == 950 * MICRO


def test_a_bad_row_among_a_thousand_costs_a_few_steps(place: Place) -> None:
    profile_id = place.workspace()
    place.record([request(profile_id, "first")])
    rows = [request(profile_id, f"{number}", credits_micro=MICRO) for number in range(ROWS)]
    rows[600] = rows[600]._replace(status_code=999)
    before = place.trips
    (reply,) = place.handle(record(*rows))
    assert isinstance(reply, Recorded)
    assert reply.rejected == [(600, ROW_REFUSED.code)]
    assert counts(reply, rows) == (ROWS - 1, 0, 0, 1)
    # Ten halves that are committed, and eleven tries that fail, each in two.
    assert place.trips - before <= place.cost(2 * 21)
    assert place.balance_micro(profile_id) == (1000 - ROWS + 1) * MICRO
    assert not differences(place.db)


def test_a_void_takes_its_identity_without_asking_first(place: Place) -> None:
    profile_id = place.workspace()
    lot_id = draw(place, profile_id, 100 * MICRO)
    spend = Spend(bytes(16), LEASE_ID, ((lot_id, MICRO),), 1, 0)
    before = place.trips
    (reply,) = place.handle(Void(1, LEASE_ID, profile_id, b"\0void", spend))
    assert isinstance(reply, Voided)
    assert (reply.was_voided, reply.was_settled) == (False, False)
    assert place.trips - before == place.cost(3)
    (reply,) = place.handle(Void(2, LEASE_ID, profile_id, b"\0void", spend))
    assert isinstance(reply, Voided)
    assert (reply.was_voided, reply.was_settled) == (True, False)


def crowd(place: Place, count: int) -> None:
    """Plant workspaces like the one that is there, whose first periods are still to be opened."""
    place.home.plant(
        "insert into workspaces with recursive n(value) as"
        f" (select 1 union all select value + 1 from n where value < {count})"
        " select profile_id + n.value, printf('%036d', n.value), name, description, plan_id,"
        " next_plan_id, timezone, zone_version, licences, is_quota_sharing_enabled, anchor_day,"
        " status, 0, null, null, 0, created_at_ms, 0, '' from workspaces, n;"
        "insert into workspace_zones select w.profile_id, 1, 0, 'UTC', null from workspaces w"
        " where profile_id > 1"
    )


def test_250_periods_that_end_together_cost_what_one_costs(place: Place) -> None:
    place.workspace()
    crowd(place, 249)
    place.advance(minutes=1)
    place.clock.advance(31 * MS_PER_DAY)
    before = place.trips
    place.recorder.tick()
    # To renew, to forget old recalls, to sweep, to know what is due and what is being built; then
    # the locks with what is read, what the next periods depend on, and the commit.
    assert place.trips - before == place.cost(5 + 3)
    rolled = "select count(*), count(distinct profile_id) from periods"
    assert place.select(rolled) == [(500, 250)]
    assert not differences(place.db)


def test_however_many_are_due_all_are_passed(place: Place) -> None:
    place.workspace()
    crowd(place, PAGE + PER_COMMIT_MAX)
    place.advance(minutes=1)
    opened = "select count(distinct profile_id) from periods"
    assert place.select(opened) == [(PAGE + PER_COMMIT_MAX + 1,)]
    assert place.select("select count(*) from workspaces where due_ms <= 0") == [(0,)]

"""Workspace days: a change of zone is built in steps while recording goes on, and nobody notices.

At every step what reports read agrees with brute force over the log, in the old zone until the
switch and in the new one from then on.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farebox.core.calendar import QUARTER_MS
from farebox.core.instant import MS_PER_DAY, MS_PER_HOUR
from farebox.core.request import Channel
from farebox.engine import days
from tests.support.harness import START_MS
from tests.support.homes import ENGINE_DRAWN, Home, Homes
from tests.support.truth import days_of_log, differences
from tests.support.worlds import MICRO, World, request

ZONES = (
    "America/Nuuk",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "UTC",
)
CHANNELS: tuple[Channel, ...] = ("api", "portal", "self")


@pytest.fixture
def world(home: Home) -> Iterator[World]:
    with World(home) as made:
        yield made


class Traffic:
    """Requests at random times of the last weeks."""

    def __init__(self, world: World, profile_id: int, seed: int, days_back: int = 60) -> None:
        self.world = world
        self.profile_id = profile_id
        self.random = random.Random(seed)
        self.days_back = days_back
        self.sent = 0

    def send(self, count: int) -> None:
        rows = []
        for _ in range(count):
            self.sent += 1
            rows.append(
                request(
                    self.profile_id,
                    f"traffic-{self.sent}",
                    key_id=self.random.choice(("key-a", "key-b")),
                    log_type_id=self.random.randrange(3),
                    channel=self.random.choice(CHANNELS),
                    credits_micro=self.random.randrange(5) * MICRO,
                    time_ms=START_MS - self.random.randrange(self.days_back * MS_PER_DAY),
                )
            )
        self.world.record(rows, is_import=True)


def rezone(world: World, profile_id: int, timezone: str) -> None:
    world.call("workspaces.change", profile_id=profile_id, timezone=timezone)


def report_zone(world: World, profile_id: int) -> str:
    """The zone that reports are in now."""
    world.directory.refresh(world.reader)
    return world.directory.workspaces[profile_id].report_timezone


def steps_to_switch(world: World, traffic: Traffic, rows_a_step: int = 0) -> list[str]:
    """Build to the end; the zone that reports were in at each step, brute force agreeing."""
    zones = []
    for _ in range(1_000):
        assert not differences(world.db)
        zones.append(report_zone(world, traffic.profile_id))
        if world.recorder.tick():
            return zones
        traffic.send(rows_a_step)
    pytest.fail("the days of the new zone are never complete")


def test_reports_stay_right_while_the_days_of_a_new_zone_are_built(world: World) -> None:
    profile_id = world.workspace(timezone="UTC")
    traffic = Traffic(world, profile_id, seed=1)
    traffic.send(300)
    rezone(world, profile_id, "Asia/Kathmandu")
    zones = steps_to_switch(world, traffic, rows_a_step=20)
    switch = zones.index("Asia/Kathmandu")
    assert switch > 3, "it takes several steps"
    assert set(zones[:switch]) == {"UTC"}
    assert set(zones[switch:]) == {"Asia/Kathmandu"}
    traffic.send(50)
    assert not differences(world.db)


def test_a_step_has_a_bound_however_much_there_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One quarter hour may hold more rows than a step is meant to build."""
    monkeypatch.setattr(days, "ROWS_PER_STEP", 2)
    profile_id = world.workspace(timezone="UTC")
    traffic = Traffic(world, profile_id, seed=1, days_back=2)
    traffic.send(60)
    crowded = [
        request(profile_id, f"crowd-{n}", key_id=f"key-{n}", time_ms=START_MS - MS_PER_DAY)
        for n in range(7)
    ]
    world.record(crowded)
    rezone(world, profile_id, "Asia/Kathmandu")
    zones = steps_to_switch(world, traffic, rows_a_step=1)
    assert 20 < zones.index("Asia/Kathmandu") < 80


def test_other_workspaces_are_not_touched(world: World) -> None:
    profile_id, other = world.workspace(), world.workspace(timezone="America/Nuuk")
    traffic, others = Traffic(world, profile_id, seed=2), Traffic(world, other, seed=3)
    traffic.send(100)
    others.send(100)
    before = world.select("select * from days where profile_id = ? order by 1, 2, 3, 4, 5", other)
    rezone(world, profile_id, "Pacific/Kiritimati")
    steps_to_switch(world, traffic)
    after = world.select("select * from days where profile_id = ? order by 1, 2, 3, 4, 5", other)
    assert before == after


def test_two_changes_in_quick_succession_end_in_the_second_zone(world: World) -> None:
    profile_id = world.workspace(timezone="UTC")
    traffic = Traffic(world, profile_id, seed=4)
    traffic.send(200)
    rezone(world, profile_id, "Asia/Kathmandu")
    world.recorder.tick()
    traffic.send(20)
    rezone(world, profile_id, "America/St_Johns")
    zones = steps_to_switch(world, traffic, rows_a_step=5)
    assert zones[0] == "UTC"
    assert zones[-1] == "America/St_Johns"
    left = world.select("select distinct zone_version from days where profile_id = ?", profile_id)
    assert left == [(3,)]


def test_a_change_there_and_back_ends_where_it_began(world: World) -> None:
    profile_id = world.workspace(timezone="UTC")
    traffic = Traffic(world, profile_id, seed=5)
    traffic.send(100)
    kept = "select day, log_type_id, key_id, requests, last_ms from days order by 1, 2, 3"
    before = world.select(kept)
    rezone(world, profile_id, "Pacific/Pago_Pago")
    rezone(world, profile_id, "UTC")
    assert steps_to_switch(world, traffic)[-1] == "UTC"
    assert world.select(kept) == before


def test_a_restart_goes_on_where_the_building_stopped(world: World) -> None:
    profile_id = world.workspace(timezone="UTC")
    traffic = Traffic(world, profile_id, seed=6)
    traffic.send(200)
    rezone(world, profile_id, "Europe/Berlin")
    world.recorder.tick()
    for _ in range(3):
        world.reopen()
        traffic.send(10)
        world.recorder.tick()
        assert not differences(world.db)
    assert steps_to_switch(world, traffic)[-1] == "Europe/Berlin"


def test_a_workspace_without_traffic_changes_zone_at_once(world: World) -> None:
    profile_id = world.workspace(timezone="UTC")
    rezone(world, profile_id, "Europe/Berlin")
    assert report_zone(world, profile_id) == "Europe/Berlin"
    Traffic(world, profile_id, seed=7).send(20)
    assert not differences(world.db)


def test_a_request_older_than_all_others_counts_in_the_zone_being_built(world: World) -> None:
    profile_id = world.workspace(timezone="UTC")
    traffic = Traffic(world, profile_id, seed=8)
    traffic.send(100)
    rezone(world, profile_id, "Europe/Berlin")
    old_ms = START_MS - 1000 * MS_PER_DAY
    world.record([request(profile_id, "ancient", time_ms=old_ms)], is_import=True)
    assert steps_to_switch(world, traffic)[-1] == "Europe/Berlin"


def test_requests_around_the_place_that_the_building_has_reached_count_once(world: World) -> None:
    profile_id = world.workspace(timezone="UTC")
    Traffic(world, profile_id, seed=10).send(100)
    rezone(world, profile_id, "Europe/Berlin")
    for step in range(1_000):
        ((built,),) = world.select(
            "select built_quarter from workspace_zones where profile_id = ? and zone_version = 2",
            profile_id,
        )
        if built is None:
            break
        if built * QUARTER_MS < START_MS:
            at_ms = [built * QUARTER_MS + by for by in (-QUARTER_MS - 1, -1, 0, 1, QUARTER_MS)]
            world.record([request(profile_id, f"{step}-{at}", time_ms=at) for at in at_ms])
        world.recorder.tick()
    assert report_zone(world, profile_id) == "Europe/Berlin"
    assert not differences(world.db)


def test_what_is_being_built_is_right_as_far_as_it_goes(world: World) -> None:
    profile_id = world.workspace(timezone="UTC")
    traffic = Traffic(world, profile_id, seed=9)
    traffic.send(300)
    rezone(world, profile_id, "Australia/Lord_Howe")
    for _ in range(4):
        assert world.recorder.tick() == 0
        traffic.send(30)
    ((built,),) = world.select(
        "select built_quarter from workspace_zones where profile_id = ? and zone_version = 2",
        profile_id,
    )
    truth, _, _ = days_of_log(world.db, {profile_id: (2, "Australia/Lord_Howe")})
    end_day = (built * 15 * 60_000 - 12 * MS_PER_HOUR) // MS_PER_DAY
    stored = {
        (profile_id, version, day, log_type_id, key_id): (requests, credits_micro, last_ms)
        for _, version, day, log_type_id, key_id, requests, credits_micro, last_ms in world.select(
            "select * from days where zone_version = 2"
        )
        if day < end_day
    }
    assert stored
    assert stored == {key: usage for key, usage in truth.items() if key[2] < end_day}


@given(engine=ENGINE_DRAWN, data=st.data(), seed=st.integers(0, 2**32))
@settings(max_examples=15)
def test_any_changes_at_any_time_keep_reports_right(
    homes: Homes, engine: str, data: st.DataObject, seed: int
) -> None:
    with homes.one(engine) as home, World(home) as world:
        profile_id = world.workspace(timezone=data.draw(st.sampled_from(ZONES)))
        traffic = Traffic(world, profile_id, seed, days_back=30)
        last = report_zone(world, profile_id)
        for action in data.draw(st.lists(st.sampled_from("ttttsssszr"), max_size=20)):
            match action:
                case "t":
                    traffic.send(15)
                case "s":
                    world.recorder.tick()
                case "z":
                    last = data.draw(st.sampled_from(ZONES))
                    rezone(world, profile_id, last)
                case _:
                    world.reopen()
            assert not differences(world.db)
        world.settle()
        assert not differences(world.db)
        assert report_zone(world, profile_id) == last

"""The clock: no step of the wall clock, either way, reopens a period or grants twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farebox.core.instant import MS_PER_DAY, MS_PER_HOUR
from farebox.engine.clock import DRIFT_ALARM_MS, SteadyClock, boot_ms, wall_ms
from tests.support.harness import START_MS
from tests.support.homes import ENGINE_DRAWN, Home, Homes
from tests.support.truth import differences
from tests.support.worlds import MICRO, World, request

YEAR_MS = 365 * MS_PER_DAY


class Machine:
    """A machine whose wall clock anybody may set; its boot clock only goes on."""

    def __init__(self, wall: int = START_MS, boot: int = 5_000) -> None:
        self.wall = wall
        self.boot = boot

    def pass_time(self, milliseconds: int) -> None:
        self.wall += milliseconds
        self.boot += milliseconds

    def clock(self, high_water_ms: int = 0) -> SteadyClock:
        return SteadyClock(high_water_ms, wall=lambda: self.wall, steady=lambda: self.boot)


@pytest.fixture
def world(home: Home) -> Iterator[World]:
    with World(home) as made:
        yield made


def restart(world: World, machine: Machine) -> SteadyClock:
    """Start anew on this machine, as the recorder's process does."""
    clock = machine.clock(world.reader.integer("clock_high_water"))
    world.reopen(clock)
    return clock


def grants(world: World) -> int:
    ((count,),) = world.select("select count(*) from grants")
    assert isinstance(count, int)
    return count


def test_the_clock_follows_the_boot_clock_and_not_the_wall() -> None:
    machine = Machine()
    clock = machine.clock()
    assert clock.now_ms() == START_MS
    machine.pass_time(1_234)
    machine.wall += YEAR_MS
    assert clock.now_ms() == START_MS + 1_234
    assert clock.drift_ms() == YEAR_MS > DRIFT_ALARM_MS
    machine.wall -= 2 * YEAR_MS
    assert clock.now_ms() == START_MS + 1_234
    assert clock.drift_ms() == -YEAR_MS


def test_a_start_in_the_past_begins_at_the_high_water_mark() -> None:
    machine = Machine(wall=START_MS - YEAR_MS)
    assert machine.clock(START_MS).now_ms() == START_MS


def test_the_real_clocks_are_utc_and_go_on() -> None:
    clock = SteadyClock()
    before = clock.now_ms()
    assert abs(clock.drift_ms()) < DRIFT_ALARM_MS
    assert wall_ms() > START_MS - 10 * YEAR_MS
    assert boot_ms() <= boot_ms()
    assert clock.now_ms() >= before


def test_a_step_of_the_wall_rolls_no_period_and_grants_nothing(world: World) -> None:
    machine = Machine()
    world.reopen(machine.clock())
    profile_id = world.workspace()
    for step_ms in (YEAR_MS, -3 * YEAR_MS, 40 * MS_PER_DAY):
        machine.wall += step_ms
        machine.pass_time(1_000)
        world.settle()
        world.record([request(profile_id, str(step_ms))])
    assert grants(world) == 1
    assert not differences(world.db)


def test_a_restart_with_the_wall_in_the_past_grants_nothing_twice(world: World) -> None:
    machine = Machine()
    restart(world, machine)
    profile_id = world.workspace()
    machine.pass_time(40 * MS_PER_DAY)
    world.settle()
    assert grants(world) == 2
    machine.wall = START_MS - YEAR_MS
    clock = restart(world, machine)
    assert clock.now_ms() >= START_MS + 40 * MS_PER_DAY
    world.settle()
    world.record([request(profile_id, "a", credits_micro=MICRO)])
    assert grants(world) == 2
    machine.pass_time(MS_PER_HOUR)
    world.settle()
    assert grants(world) == 2
    assert not differences(world.db)


def test_what_only_time_has_done_counts_for_the_high_water_mark(world: World) -> None:
    """A period that rolled without any request must not be forgotten by the clock."""
    machine = Machine()
    restart(world, machine)
    world.workspace()
    machine.pass_time(40 * MS_PER_DAY)
    world.settle()
    assert world.reader.integer("clock_high_water") == START_MS + 40 * MS_PER_DAY


def test_days_that_were_built_count_for_the_high_water_mark(world: World) -> None:
    machine = Machine()
    restart(world, machine)
    profile_id = world.workspace()
    world.record([request(profile_id, "a")])
    world.call("workspaces.change", profile_id=profile_id, timezone="Asia/Tokyo")
    machine.pass_time(MS_PER_HOUR)
    world.settle()
    assert world.directory.workspaces[profile_id].report_timezone == "Asia/Tokyo"
    assert world.reader.integer("clock_high_water") == START_MS + MS_PER_HOUR


def test_a_restart_in_the_future_and_back_grants_each_period_once(world: World) -> None:
    machine = Machine()
    restart(world, machine)
    world.workspace()
    machine.wall += 100 * MS_PER_DAY
    restart(world, machine)
    world.settle()
    assert grants(world) == 4
    machine.wall -= 100 * MS_PER_DAY
    restart(world, machine)
    world.settle()
    machine.pass_time(MS_PER_DAY)
    world.settle()
    assert grants(world) == 4
    assert not differences(world.db)


@given(
    engine=ENGINE_DRAWN,
    steps=st.lists(
        st.tuples(
            st.integers(0, 20 * MS_PER_DAY),
            st.integers(-70 * MS_PER_DAY, 70 * MS_PER_DAY) | st.just(0),
            st.booleans(),
        ),
        max_size=8,
    ),
)
@settings(max_examples=40)
def test_time_never_runs_back_and_periods_never_overlap(
    homes: Homes, engine: str, steps: list[tuple[int, int, bool]]
) -> None:
    """Time passes, the wall is set, and the recorder restarts or not."""
    machine = Machine()
    with homes.one(engine) as home, World(home) as world:
        clock = restart(world, machine)
        profile_id = world.workspace()
        last_ms = clock.now_ms()
        for number, (passed_ms, step_ms, is_restarted) in enumerate(steps):
            machine.pass_time(passed_ms)
            machine.wall += step_ms
            if is_restarted:
                clock = restart(world, machine)
            world.settle()
            world.record([request(profile_id, str(number), credits_micro=MICRO)])
            assert clock.now_ms() >= last_ms
            last_ms = clock.now_ms()
        ((periods, plan_grants),) = world.select(
            "select count(*), (select count(*) from grants where kind = 'plan') from periods"
        )
        assert periods == plan_grants
        assert not differences(world.db)

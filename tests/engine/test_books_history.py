"""The books through time: when a thing is noticed changes nothing.

Random lives of a workspace, led twice: once with a recorder that looks after each step and restarts
now and then, once with one that finds all that was due at its next use.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import cache
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farebox.core.instant import MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE
from tests.support.homes import ENGINE_DRAWN, Home, Homes
from tests.support.truth import differences
from tests.support.worlds import MICRO, World, request


class Step(NamedTuple):
    """Something that happens to a workspace, and the time that passes before it."""

    after_ms: int
    what: str
    credits: int
    lasts_ms: int
    is_noticed: bool


steps = st.builds(
    Step,
    after_ms=st.integers(0, 3 * MS_PER_HOUR)
    | st.integers(0, 45 * MS_PER_DAY)
    | st.sampled_from((0, MS_PER_MINUTE, 7 * MS_PER_DAY, 70 * MS_PER_DAY)),
    what=st.sampled_from(("spend", "spend", "give", "give for a while", "charge", "give back")),
    credits=st.integers(1, 900),
    lasts_ms=st.integers(1, 40 * MS_PER_DAY) | st.just(7 * MS_PER_DAY),
    is_noticed=st.booleans(),
)


@pytest.fixture(scope="module")
def populated(homes: Homes) -> Callable[[str], tuple[Home, int]]:
    @cache
    def populated_of(engine: str) -> tuple[Home, int]:
        home = homes.new(engine)
        with World(home) as world:
            profile_id = world.workspace(timezone="Australia/Lord_Howe", anchor_day=30)
            world.recorder.end()  # no node is there: a clock may go beyond the server's
        return home, profile_id

    return populated_of


def live(world: World, profile_id: int, history: list[Step], *, is_watchful: bool) -> object:
    """Go through the steps; the watchful recorder looks after each, and restarts now and then."""
    for number, step in enumerate(history):
        world.clock.advance(step.after_ms)
        if is_watchful:
            world.settle()
            if step.is_noticed:
                world.reopen()
        micro = step.credits * MICRO
        match step.what:
            case "spend":
                row = request(profile_id, str(number), credits_micro=micro, time_ms=world.now_ms)
                world.record([row])
            case "give":
                world.give(profile_id, micro, priority=step.credits % 3)
            case "give for a while":
                world.give(profile_id, micro, expires_at_ms=world.now_ms + step.lasts_ms)
            case "charge":
                world.correct(profile_id, micro)
            case _:
                world.correct(profile_id, -micro)
        if is_watchful:
            assert not differences(world.db)
    world.settle()
    assert not differences(world.db)
    return (
        world.select("select * from periods order by start_ms"),
        world.select("select * from grants order by grant_id"),
        sorted(
            world.select(
                "select at_ms, kind, debit_account, credit_account, amount_micro from transfers"
            )
        ),
    )


@given(engine=ENGINE_DRAWN, history=st.lists(steps, max_size=14))
@settings(max_examples=50)
def test_it_matters_when_a_thing_is_due_and_not_when_it_is_noticed(
    populated: Callable[[str], tuple[Home, int]], engine: str, history: list[Step]
) -> None:
    base, profile_id = populated(engine)
    ends = []
    for is_watchful in (True, False):
        with closing(base.copy()) as home, World(home) as world:
            ends.append(live(world, profile_id, history, is_watchful=is_watchful))
    assert ends[0] == ends[1]
